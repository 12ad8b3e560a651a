#include "document/html.h"

#include <carrel/html.h>
#include <fmt/format.h>

#include <algorithm>

#include "document/archive_buffer.h"

namespace carrel::document {

Result<std::string> clean_html(std::string_view html) {
  if (html.size() > kMaxHtml) {
    return fail(Code::bad_request,
                fmt::format("a fragment of {} bytes, and {} are the most", html.size(), kMaxHtml));
  }
  if (static_cast<std::size_t>(std::ranges::count(html, '<')) > kMaxTags)
    return fail(Code::bad_request, fmt::format("a fragment of more than {} tags", kMaxTags));
  ArchiveBuffer safe;
  if (!carrel_html_clean(bytes_of(html), html.size(), safe.get()))
    return fail(Code::bad_request, "the fragment is not HTML in UTF-8");
  return std::string(safe.view());
}

}  // namespace carrel::document
