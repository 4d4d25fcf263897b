# Dear ImGui, ImPlot and their back ends as gemwright_imgui; with the hooks and the code of the test engine as
# gemwright_imgui_testable, for the tests alone (the test engine is free for open source; it is not part of what ships).
if(NOT GEMWRIGHT_GUI_BUNDLE)
  add_library(gemwright_imgui INTERFACE)
  target_link_libraries(gemwright_imgui INTERFACE imgui::imgui implot::implot glfw OpenGL::GL)
  return()
endif()

set(imgui ${GEMWRIGHT_GUI_BUNDLE}/external/imgui/imgui)
set(implot ${GEMWRIGHT_GUI_BUNDLE}/external/implot/implot)
set(test_engine ${GEMWRIGHT_GUI_BUNDLE}/external/imgui_test_engine/imgui_test_engine)

# imgui.cpp of the bundle calls its stack layout extension.
function(gemwright_add_imgui target)
  add_library(${target} STATIC
    ${imgui}/imgui.cpp ${imgui}/imgui_draw.cpp ${imgui}/imgui_tables.cpp ${imgui}/imgui_widgets.cpp
    ${imgui}/imgui_stacklayout.cpp ${imgui}/backends/imgui_impl_glfw.cpp ${imgui}/backends/imgui_impl_opengl3.cpp
    ${implot}/implot.cpp ${implot}/implot_items.cpp ${ARGN})
  target_include_directories(${target} SYSTEM PUBLIC ${imgui} ${imgui}/backends ${implot})
  # Nothing may rest on a redirection that the next version drops.
  target_compile_definitions(${target} PUBLIC IMGUI_DISABLE_OBSOLETE_FUNCTIONS IMPLOT_DISABLE_OBSOLETE_FUNCTIONS)
  target_compile_options(${target} PRIVATE -w)
  # Plots are of double alone: for its ten types implot_items.cpp takes minutes to compile.
  target_compile_definitions(${target} PRIVATE "IMPLOT_CUSTOM_NUMERIC_TYPES=(double)")
  target_link_libraries(${target} PUBLIC glfw OpenGL::GL ${CMAKE_DL_LIBS})
endfunction()

gemwright_add_imgui(gemwright_imgui)
if(GEMWRIGHT_TESTS)
  file(GLOB sources ${test_engine}/imgui_test_engine/imgui_te_*.cpp)
  list(FILTER sources EXCLUDE REGEX "python_gil")
  gemwright_add_imgui(gemwright_imgui_testable ${sources} ${test_engine}/imgui_test_engine/imgui_capture_tool.cpp)
  target_include_directories(gemwright_imgui_testable SYSTEM PUBLIC ${test_engine})
  target_compile_definitions(gemwright_imgui_testable PUBLIC
    IMGUI_ENABLE_TEST_ENGINE IMGUI_TEST_ENGINE_ENABLE_COROUTINE_STDTHREAD_IMPL=1
    IMGUI_TEST_ENGINE_ENABLE_STD_FUNCTION=1 IMGUI_TEST_ENGINE_ENABLE_CAPTURE=0)
  target_link_libraries(gemwright_imgui_testable PUBLIC Threads::Threads)
endif()

# The fonts of the archive as source text, so that the program needs no data folder.
add_executable(gemwright_font_text ${imgui}/misc/fonts/binary_to_compressed_c.cpp)
target_compile_options(gemwright_font_text PRIVATE -w)
set(fonts_header ${CMAKE_CURRENT_BINARY_DIR}/embedded_fonts.h)
set(text_font ${GEMWRIGHT_GUI_BUNDLE}/bindings/imgui_bundle/assets/fonts/Roboto/Roboto-Regular.ttf)
set(heading_font ${imgui}/misc/fonts/Roboto-Medium.ttf)
set(code_font ${imgui}/misc/fonts/Cousine-Regular.ttf)
add_custom_command(
  OUTPUT ${fonts_header}
  COMMAND gemwright_font_text ${text_font} text_font > embedded_fonts.h
  COMMAND gemwright_font_text ${heading_font} heading_font >> embedded_fonts.h
  COMMAND gemwright_font_text ${code_font} code_font >> embedded_fonts.h
  DEPENDS gemwright_font_text ${text_font} ${heading_font} ${code_font}
  WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}
  VERBATIM)
add_custom_target(gemwright_fonts DEPENDS ${fonts_header})
