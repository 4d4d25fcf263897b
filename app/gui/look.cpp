#include "app/gui/look.h"

#include <implot.h>

#include <array>
#include <cstdlib>

#ifdef GEMWRIGHT_EMBEDDED_FONTS
#include "embedded_fonts.h"
#endif

namespace gemwright::app::gui {
namespace {

// Okabe and Ito, "Color Universal Design", 2008.
constexpr ImU32 kOrange = IM_COL32(230, 159, 0, 255), kSky = IM_COL32(86, 180, 233, 255),
                kGreen = IM_COL32(0, 158, 115, 255), kYellow = IM_COL32(240, 228, 66, 255),
                kBlue = IM_COL32(0, 114, 178, 255), kVermilion = IM_COL32(213, 94, 0, 255),
                kPurple = IM_COL32(204, 121, 167, 255);

struct Palette {
  ImVec4 window, panel, field, border, text, dim, accent, header, hover;
};

ImVec4 rgb(int hex, float alpha = 1) {
  return {static_cast<float>((hex >> 16) & 255) / 255, static_cast<float>((hex >> 8) & 255) / 255,
          static_cast<float>(hex & 255) / 255, alpha};
}

Palette palette(Theme theme) {
  switch (theme) {
    case Theme::light:
      return {rgb(0xfafafa), rgb(0xeff1f3), rgb(0xffffff), rgb(0xc9ced4), rgb(0x1c2024),
              rgb(0x5b6570), rgb(0x0060a8), rgb(0xd6e6f4), rgb(0xe3e9ef)};
    case Theme::contrast:
      return {rgb(0x000000), rgb(0x000000), rgb(0x101010), rgb(0xffffff), rgb(0xffffff),
              rgb(0xe0e0e0), rgb(0xffd400), rgb(0x004a80), rgb(0x303030)};
    case Theme::dark:
      break;
  }
  return {rgb(0x1b1e22), rgb(0x15171a), rgb(0x262a30), rgb(0x48515b), rgb(0xe2e6ea),
          rgb(0x98a2ad), rgb(0x5ab0ee), rgb(0x26435c), rgb(0x2c323a)};
}

void colour_windows(ImVec4* c, const Palette& p) {
  for (const ImGuiCol i : {ImGuiCol_WindowBg, ImGuiCol_ChildBg, ImGuiCol_DockingEmptyBg}) c[i] = p.window;
  c[ImGuiCol_ChildBg].w = 0;
  c[ImGuiCol_PopupBg] = p.panel;
  for (const ImGuiCol i : {ImGuiCol_MenuBarBg, ImGuiCol_TitleBg, ImGuiCol_TitleBgActive, ImGuiCol_TitleBgCollapsed,
                           ImGuiCol_Tab, ImGuiCol_TabDimmed, ImGuiCol_TableHeaderBg}) {
    c[i] = p.panel;
  }
  for (const ImGuiCol i : {ImGuiCol_TabSelected, ImGuiCol_TabDimmedSelected}) c[i] = p.window;
  for (const ImGuiCol i : {ImGuiCol_TabSelectedOverline, ImGuiCol_CheckMark, ImGuiCol_NavCursor, ImGuiCol_SliderGrab,
                           ImGuiCol_TextLink, ImGuiCol_PlotHistogram}) {
    c[i] = p.accent;
  }
  c[ImGuiCol_TabDimmedSelectedOverline] = p.border;
  for (const ImGuiCol i :
       {ImGuiCol_Border, ImGuiCol_Separator, ImGuiCol_TableBorderStrong, ImGuiCol_ScrollbarGrab, ImGuiCol_ResizeGrip}) {
    c[i] = p.border;
  }
  c[ImGuiCol_TableBorderLight] = p.border;
  c[ImGuiCol_TableBorderLight].w = 0.5f;
  c[ImGuiCol_ScrollbarBg] = ImVec4(0, 0, 0, 0);
  c[ImGuiCol_TableRowBg] = ImVec4(0, 0, 0, 0);
  c[ImGuiCol_TableRowBgAlt] = p.panel;
  c[ImGuiCol_TableRowBgAlt].w = 0.6f;
}

void colour_items(ImVec4* c, const Palette& p) {
  c[ImGuiCol_Text] = p.text;
  c[ImGuiCol_TextDisabled] = p.dim;
  c[ImGuiCol_TextSelectedBg] = p.header;
  for (const ImGuiCol i : {ImGuiCol_FrameBg, ImGuiCol_Button}) c[i] = p.field;
  for (const ImGuiCol i : {ImGuiCol_FrameBgHovered, ImGuiCol_ButtonHovered, ImGuiCol_HeaderHovered, ImGuiCol_TabHovered,
                           ImGuiCol_SeparatorHovered}) {
    c[i] = p.hover;
  }
  for (const ImGuiCol i : {ImGuiCol_FrameBgActive, ImGuiCol_ButtonActive, ImGuiCol_Header, ImGuiCol_HeaderActive,
                           ImGuiCol_SeparatorActive}) {
    c[i] = p.header;
  }
}

}  // namespace

Fonts load_fonts() {
  ImFontAtlas& atlas = *ImGui::GetIO().Fonts;
  if (const char* const file = std::getenv("GEMWRIGHT_FONT"); file != nullptr && *file != '\0') {
    ImFontConfig config;
    config.Flags |= ImFontFlags_NoLoadError;
    if (ImFont* const font = atlas.AddFontFromFileTTF(file, 0, &config)) return {font, font, font};
  }
#ifdef GEMWRIGHT_EMBEDDED_FONTS
  return {atlas.AddFontFromMemoryCompressedTTF(text_font_compressed_data, text_font_compressed_size),
          atlas.AddFontFromMemoryCompressedTTF(heading_font_compressed_data, heading_font_compressed_size),
          atlas.AddFontFromMemoryCompressedTTF(code_font_compressed_data, code_font_compressed_size)};
#else
  ImFont* const font = atlas.AddFontDefaultVector();
  return {font, font, font};
#endif
}

ImU32 Look::ground() const { return ImGui::GetColorU32(palette(theme).window); }
ImU32 Look::accent() const { return ImGui::GetColorU32(palette(theme).accent); }
ImU32 Look::best() const { return theme == Theme::light ? kVermilion : kOrange; }
ImU32 Look::dim() const { return ImGui::GetColorU32(palette(theme).dim); }
ImU32 Look::quiet() const {
  ImVec4 c = palette(theme).dim;
  c.w = 0.35f;
  return ImGui::GetColorU32(c);
}
ImU32 Look::warning() const { return theme == Theme::light ? IM_COL32(168, 66, 0, 255) : kOrange; }
ImU32 Look::pin(bool b) const {
  if (b) return kPurple;
  // The palette's green is too dark on a dark ground.
  return theme == Theme::light ? kGreen : IM_COL32(60, 205, 160, 255);
}

StateMark Look::mark(tuner::TrialState state) const {
  const bool light = theme == Theme::light;
  const ImU32 grey = light ? IM_COL32(110, 118, 126, 255) : IM_COL32(150, 158, 166, 255);
  switch (state) {
    case tuner::TrialState::running:
      return {kGreen, ImPlotMarker_Right, "running"};
    case tuner::TrialState::ok:
      return {light ? kBlue : kSky, ImPlotMarker_Circle, "ok"};
    case tuner::TrialState::pruned:
      return {grey, ImPlotMarker_Down, "pruned"};
    case tuner::TrialState::constraint:
      return {grey, ImPlotMarker_Square, "constraint"};
    case tuner::TrialState::compile:
      return {kOrange, ImPlotMarker_Square, "compile"};
    case tuner::TrialState::runtime:
      return {kVermilion, ImPlotMarker_Diamond, "runtime"};
    case tuner::TrialState::timeout:
      return {light ? kOrange : kYellow, ImPlotMarker_Up, "timeout"};
    case tuner::TrialState::correctness:
      return {kPurple, ImPlotMarker_Cross, "correctness"};
    case tuner::TrialState::crashed:
      return {kVermilion, ImPlotMarker_Cross, "crashed"};
    case tuner::TrialState::cancelled:
      return {grey, ImPlotMarker_Plus, "cancelled"};
  }
  return {grey, ImPlotMarker_Circle, "unknown"};
}

void apply(const Look& look) {
  ImGuiStyle style;
  if (look.theme == Theme::light) {
    ImGui::StyleColorsLight(&style);
  } else {
    ImGui::StyleColorsDark(&style);
  }
  const Palette p = palette(look.theme);
  colour_windows(style.Colors, p);
  colour_items(style.Colors, p);
  style.WindowPadding = {12, 10};
  style.FramePadding = {8, 4};
  style.ItemSpacing = {8, 6};
  style.CellPadding = {8, 3};
  style.FrameRounding = style.PopupRounding = style.GrabRounding = style.ScrollbarRounding = 4;
  style.TabRounding = 4;
  style.WindowRounding = style.ChildRounding = 0;
  style.WindowBorderSize = style.PopupBorderSize = 1;
  style.FrameBorderSize = 1;
  style.ScrollbarSize = 12;
  style.DockingSeparatorSize = 2;
  style.TabBarOverlineSize = 2;
  style.WindowMenuButtonPosition = ImGuiDir_None;
  style.ScaleAllSizes(look.scale);
  style.FontSizeBase = kTextSize;
  style.FontScaleDpi = look.scale;
  ImGui::GetStyle() = style;

  ImPlotStyle plot;
  ImPlot::StyleColorsAuto(&plot);
  plot.PlotBorderSize = look.scale;
  plot.PlotPadding = {8 * look.scale, 8 * look.scale};
  plot.LabelPadding = {6 * look.scale, 6 * look.scale};
  plot.LegendPadding = {8 * look.scale, 8 * look.scale};
  plot.LegendInnerPadding = {8 * look.scale, 6 * look.scale};
  plot.LegendSpacing = {8 * look.scale, 2 * look.scale};
  plot.MajorTickLen = {4 * look.scale, 4 * look.scale};
  plot.MinorTickLen = {2 * look.scale, 2 * look.scale};
  plot.MinorAlpha = 0.3f;
  ImPlot::GetStyle() = plot;
}

}  // namespace gemwright::app::gui
