#include "document/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

namespace carrel::document {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string clean(std::string_view html) {
  auto safe = clean_html(html);
  if (!safe) ADD_FAILURE() << safe.error().message();
  return safe.value_or("");
}

TEST(Html, KeepsWhatIsHarmless) {
  EXPECT_EQ(clean("<p>Buy <b>two</b>, get &amp; keep one</p>"),
            "<p>Buy <b>two</b>, get &amp; keep one</p>");
  EXPECT_THAT(clean("<a href=\"https://example.com/a?b=1\">x</a>"),
              HasSubstr("href=\"https://example.com/a?b=1\""));
}

TEST(Html, LinksOutLendNoTrust) {
  EXPECT_THAT(clean("<a href='https://example.com/'>x</a>"), HasSubstr("noopener"));
}

TEST(Html, ScriptVectorsLoseTheirScript) {
  constexpr auto kVectors = std::to_array<std::string_view>({
      "<script>alert(1)</script>",
      "<img src=x onerror=alert(1)>",
      "<svg onload=alert(1)>",
      "<svg><script>alert(1)</script></svg>",
      "<a href=javascript:alert(1)>x</a>",
      "<a href=\" &#14; javascript:alert(1)\">x</a>",
      "<a href=\"java\tscript:alert(1)\">x</a>",
      "<a href=JaVaScRiPt:alert(1)>x</a>",
      "<a href=\"&#106;avascript:alert(1)\">x</a>",
      "<a href=data:text/html,alert(1)>x</a>",
      "<a href=vbscript:alert(1)>x</a>",
      "<iframe src=javascript:alert(1)></iframe>",
      "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>",
      "<object data=javascript:alert(1)></object>",
      "<embed src=javascript:alert(1)>",
      "<form action=javascript:alert(1)><button>x</button></form>",
      "<button formaction=javascript:alert(1)>x</button>",
      "<input autofocus onfocus=alert(1)>",
      "<details open ontoggle=alert(1)>x</details>",
      "<body onload=alert(1)>",
      "<base href=javascript:alert(1)//>",
      "<meta http-equiv=refresh content=\"0;url=javascript:alert(1)\">",
      "<link rel=stylesheet href=javascript:alert(1)>",
      "<style>@import 'javascript:alert(1)';</style>",
      "<div style=\"background:url(javascript:alert(1))\">x</div>",
      "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
      "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
      "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
      "<template><img src=x onerror=alert(1)></template>",
      "<img src=\"x` `<script>alert(1)</script>\"` `>",
      "<<script>alert(1)//<</script>",
      "<!--><img src=x onerror=alert(1)>-->",
      "<![CDATA[<img src=x onerror=alert(1)>]]>",
      "<xss onclick=alert(1) id=x tabindex=1>x</xss>",
      "<textarea></textarea><script>alert(1)</script>",
      "<a href=\"x\" onmouseover=alert(1)>x</a>",
      "<video><source onerror=alert(1)></video>",
      "<marquee onstart=alert(1)>x</marquee>",
      "<table background=javascript:alert(1)>",
  });
  for (const std::string_view vector : kVectors) {
    const std::string safe = clean(vector);
    // What stands in a text is escaped; what is left of tags has none of these.
    for (const char* sign : {"<script", "<svg", "<iframe", "<style", "<form", "<object", "<embed",
                             "<base", "<meta", "<link", "<template", "<input", "<button",
                             "=\"javascript:", "=\"data:", "=\"vbscript:"}) {
      EXPECT_THAT(safe, Not(HasSubstr(sign))) << vector << " gave " << safe;
    }
    for (std::size_t open = safe.find('<'); open != std::string::npos;
         open = safe.find('<', open + 1)) {
      const std::string tag = safe.substr(open, safe.find('>', open) - open);
      EXPECT_THAT(tag, Not(HasSubstr(" on"))) << vector << " gave " << safe;
    }
  }
}

TEST(Html, CleanIsCleanAgain) {
  const std::string once = clean("<p>a<b>b<table><tr><td>c</p><i>&lt;script&gt;");
  EXPECT_EQ(clean(once), once);
}

TEST(Html, BoundsWhatItTakes) {
  EXPECT_FALSE(clean_html(std::string(kMaxHtml + 1, 'x')));
  EXPECT_FALSE(clean_html("\xff"));
  EXPECT_EQ(clean(""), "");
}

std::string repeated(std::string_view piece, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += piece;
  return text;
}

TEST(Html, TakesNoLongForWhatBrowsersFindHard) {
  EXPECT_FALSE(clean_html(repeated("<div>", kMaxTags + 1)));
  const auto begin = std::chrono::steady_clock::now();
  for (const char* piece : {"<div>", "<b>", "<a><b><p>", "<b></p>", "<table><tr><td>", "<b x=1><i>",
                            "<svg><p>", "<table>x", "<p><b></b>", "</p>", "<font><nobr>"}) {
    const auto tags = static_cast<std::size_t>(std::ranges::count(std::string_view(piece), '<'));
    EXPECT_TRUE(clean_html(repeated(piece, kMaxTags / tags))) << piece;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

}  // namespace
}  // namespace carrel::document
