# The digest of the kernel headers: 16 hex digits over their paths and texts. It names the inline namespace of everything that
# ships, so that two versions can meet in one program, and tells a library-style header whether it fits the installed kernels.

# gemwright_digest(<out variable> <root> <header>...)
function(gemwright_digest out root)
  set(all "")
  foreach(header IN LISTS ARGN)
    file(SHA256 "${root}/${header}" one)
    string(APPEND all "${header} ${one}\n")
  endforeach()
  string(SHA256 digest "${all}")
  string(SUBSTRING "${digest}" 0 16 digest)  # 64 bits: it tells versions apart, it is no protection
  set(${out} "${digest}" PARENT_SCOPE)
endfunction()

# Writes only what differs, so that nothing is compiled again without need.
function(gemwright_write_if_different file text)
  if(EXISTS "${file}")
    file(READ "${file}" old)
    if("x${old}" STREQUAL "x${text}")
      return()
    endif()
  endif()
  file(WRITE "${file}" "${text}")
endfunction()
