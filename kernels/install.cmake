# What `find_package(gemwright)` finds: the kernels under an inline namespace of their own, the targets file and a function.
# The component is "kernels": `cmake --install <build> --component kernels` needs nothing built.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The installed headers live in lib_<digest>, a standalone header's copy in abi_<digest>: both can be used in one file.
set(GEMWRIGHT_KERNELS_NAMESPACE lib_${GEMWRIGHT_KERNELS_DIGEST})
set(staged ${CMAKE_CURRENT_BINARY_DIR}/staged)
foreach(header IN LISTS GEMWRIGHT_KERNEL_HEADERS)
  file(READ ${header} text)
  string(REPLACE "gemwright_abi" ${GEMWRIGHT_KERNELS_NAMESPACE} text "${text}")
  gemwright_write_if_different(${staged}/${header} "${text}")
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES ${staged}/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/${folder} COMPONENT kernels)
endforeach()
configure_file(version.h.in ${staged}/gemwright/version.h @ONLY)
install(FILES ${staged}/gemwright/version.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gemwright COMPONENT kernels)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/gemwright)
set_target_properties(gemwright_kernels PROPERTIES EXPORT_NAME kernels)
install(TARGETS gemwright_kernels EXPORT gemwright_targets COMPONENT kernels)
install(EXPORT gemwright_targets FILE gemwrightTargets.cmake NAMESPACE gemwright:: DESTINATION ${package_folder}
        COMPONENT kernels)
configure_package_config_file(gemwrightConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/gemwrightConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
# Header-only and the same on every word size; before 1.0 a minor version may change what an exported header needs.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/gemwrightConfigVersion.cmake VERSION ${PROJECT_VERSION}
                                 COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/gemwrightConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/gemwrightConfigVersion.cmake
              gemwright_add_tuned_header.cmake
        DESTINATION ${package_folder} COMPONENT kernels)
