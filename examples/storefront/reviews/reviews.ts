// A customer's part of the product page: what readers say. The script is what a careless one might leave there: the
// point takes it out.

import { print, readInput } from "./wasi";

/** The text of a member of a flat JSON object, as it is escaped there; empty if it has none. */
function member(json: string, name: string): string {
  const start = json.indexOf('"' + name + '":');
  if (start < 0) return "";
  const open = json.indexOf('"', start + name.length + 3);
  let end = open + 1;
  while (end < json.length && json.charCodeAt(end) != 0x22) end += json.charCodeAt(end) == 0x5c ? 2 : 1;
  return json.substring(open + 1, end);
}

/** Nothing that HTML means; escapes of JSON stay as they are. */
function plain(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

export function _start(): void {
  const name = plain(member(readInput(), "name"));
  print(
    '{"html": "<h2>Readers say</h2><blockquote><p>' + name + ": I would buy it again.</p></blockquote>" +
      "<script>document.title = 'stolen'</script>" + '<p onclick=\\"steal()\\"><em>4.6</em> of 5</p>"}',
  );
}
