#include "net/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace carrel::net {
namespace {

using namespace std::string_literals;

// What became of a head: 0 for a request, the status of a refusal otherwise. -1: more is waited
// for.
int outcome(std::string_view bytes, std::size_t max_headers = 100) {
  const HeadEnd end = find_head_end(bytes, 0);
  if (end.state == HeadEnd::State::incomplete) return -1;
  if (end.state == HeadEnd::State::malformed) return 400;
  Request request;
  const auto framing = parse_head(bytes.substr(0, end.size), max_headers, request);
  return framing ? 0 : http_status(framing.error().code());
}

struct Case {
  const char* why;
  std::string head;
  int status = 400;
};

std::string with(std::string_view fields) {
  return "POST /x HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n\r\n";
}

TEST(RequestHead, ShapesThatTwoReadersCouldUnderstandDifferentlyAreRefused) {
  const std::vector<Case> cases = {
      {"both framings", with("Content-Length: 3\r\nTransfer-Encoding: chunked")},
      {"both framings, the other way round",
       with("Transfer-Encoding: chunked\r\nContent-Length: 3")},
      {"two lengths", with("Content-Length: 3\r\nContent-Length: 4")},
      {"two equal lengths", with("Content-Length: 3\r\nContent-Length: 3")},
      {"a list of lengths", with("Content-Length: 3, 3")},
      {"a signed length", with("Content-Length: +5")},
      {"a negative length", with("Content-Length: -5")},
      {"a hexadecimal length", with("Content-Length: 0x5")},
      {"an empty length", with("Content-Length: ")},
      {"a length that overflows", with("Content-Length: 18446744073709551621")},
      {"a length with a blank inside", with("Content-Length: 1 2")},
      {"two codings", with("Transfer-Encoding: gzip, chunked")},
      {"chunked twice", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")},
      {"chunked twice in a list", with("Transfer-Encoding: chunked, chunked")},
      {"another coding", with("Transfer-Encoding: identity")},
      {"a quoted coding", with("Transfer-Encoding: \"chunked\"")},
      {"a coding with a parameter", with("Transfer-Encoding: chunked;q=1")},
      {"a vertical tab before the coding", with("Transfer-Encoding: \x0b"
                                                "chunked")},
      {"an empty coding", with("Transfer-Encoding:")},
      {"a coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"a blank before the colon", with("Content-Length : 3")},
      {"a tab before the colon", with("Transfer-Encoding\t: chunked")},
      {"a folded line", with("X: a\r\n b")},
      {"a folded line by a tab", with("X: a\r\n\tb")},
      {"a folded first line", "GET / HTTP/1.1\r\n Host: h\r\n\r\n"},
      {"a bare CR in a value", with("X: a\rb")},
      {"a bare LF ending a line", "GET / HTTP/1.1\nHost: h\r\n\r\n"},
      {"a bare LF ending a field", with("X: a\nContent-Length: 3")},
      {"bare LFs ending the head", "GET / HTTP/1.1\r\nHost: h\n\n"},
      {"a NUL in a value", with("X: a\0b"s)},
      {"a NUL in a name", with("X\0Y: a"s)},
      {"a control byte in a value", with("X: \x01")},
      {"a DEL in a value", with("X: \x7f")},
      {"no colon", with("X")},
      {"no name", with(": x")},
      {"a name that is no token", with("X(Y): z")},
      {"a name outside of ASCII", with("X\xc3\xa4: z")},
  };
  for (const Case& c : cases) EXPECT_EQ(outcome(c.head), c.status) << c.why;
}

TEST(RequestHead, RequestLinesThatAreNotExactAreRefused) {
  const auto line = [](std::string_view text) { return std::string(text) + "\r\nHost: h\r\n\r\n"; };
  const std::vector<Case> cases = {
      {"no target", line("GET HTTP/1.1")},
      {"no version", line("GET /")},
      {"two blanks", line("GET  / HTTP/1.1")},
      {"two blanks before the version", line("GET /  HTTP/1.1")},
      {"a blank in the target", line("GET /a b HTTP/1.1")},
      {"a tab for a blank", line("GET\t/\tHTTP/1.1")},
      {"a blank at the end", line("GET / HTTP/1.1 ")},
      {"a method that is no token", line("GE(T / HTTP/1.1")},
      {"no method", line(" / HTTP/1.1")},
      {"a NUL in the method", line("GE\0T / HTTP/1.1"s)},
      {"a NUL in the target", line("GET /\0 HTTP/1.1"s)},
      {"a control byte in the target", line("GET /\x01 HTTP/1.1")},
      {"a byte outside of ASCII in the target", line("GET /\xff HTTP/1.1")},
      {"a fragment", line("GET /#a HTTP/1.1")},
      {"a bare CR in the target", line("GET /\rX HTTP/1.1")},
      {"a relative target", line("GET x HTTP/1.1")},
      {"an asterisk for GET", line("GET * HTTP/1.1")},
      {"another scheme", line("GET ftp://h/ HTTP/1.1")},
      {"no authority", line("GET http:///x HTTP/1.1")},
      {"user information", line("GET http://u@h/x HTTP/1.1")},
      {"a lower-case version", line("GET / http/1.1")},
      {"a version of other shape", line("GET / HTTP/1.10")},
      {"a version after 1", line("GET / HTTP/2.0"), 505},
      {"an unknown minor version", line("GET / HTTP/1.2"), 505},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\n", 505},
      {"a tunnel", line("CONNECT h:443 HTTP/1.1"), 501},
      {"the start of TLS", "\x16\x03\x01"s},
      {"a byte that starts no method", "("},
  };
  for (const Case& c : cases) EXPECT_EQ(outcome(c.head), c.status) << c.why;
}

TEST(RequestHead, TheHostIsOneAndValid) {
  const std::vector<Case> cases = {
      {"none", "GET / HTTP/1.1\r\n\r\n"},
      {"two", "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n"},
      {"a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"},
      {"a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
      {"user information", "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n"},
      {"not what the target names", "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"},
      {"none, in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 0},
      {"an address", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0},
      {"what the target names", "GET http://A:80/ HTTP/1.1\r\nHost: a:80\r\n\r\n", 0},
  };
  for (const Case& c : cases) EXPECT_EQ(outcome(c.head), c.status) << c.why;
}

TEST(RequestHead, UnknownExpectationsAndTooManyFieldsAreRefused) {
  EXPECT_EQ(outcome(with("Expect: 200-ok")), 417);
  EXPECT_EQ(outcome(with("A: 1\r\nB: 2"), 2), 431);  // with Host, three
  EXPECT_EQ(outcome(with("A: 1\r\nB: 2"), 3), 0);
}

struct Parsed {
  Request request;
  Framing framing;
};
Parsed parse(const std::string& head) {
  Parsed parsed;
  EXPECT_EQ(find_head_end(head, 0).size, head.size());
  const auto framing = parse_head(head, 100, parsed.request);
  EXPECT_TRUE(framing.has_value()) << head;
  if (framing) parsed.framing = *framing;
  return parsed;
}

TEST(RequestHead, PartsAreFound) {
  const std::string head =
      "PUT /a/b?c=%20&d HTTP/1.1\r\nHost: example.com:8080\r\nX-A:  one two\t\r\nx-a:\r\nContent-Length: 12\r\n\r\n";
  const auto [request, framing] = parse(head);
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.target, "/a/b?c=%20&d");
  EXPECT_EQ(request.path, "/a/b");
  EXPECT_EQ(request.query, "c=%20&d");
  EXPECT_EQ(request.host, "example.com:8080");
  EXPECT_EQ(request.header("X-a"), "one two");
  EXPECT_EQ(request.headers.size(), 4U);
  EXPECT_EQ(request.content_length, 12U);
  EXPECT_TRUE(request.has_body);
  EXPECT_TRUE(framing.keep_alive);
}

TEST(RequestHead, FramingFollowsVersionAndFields) {
  const std::string h = "\r\nHost: h\r\n";
  EXPECT_FALSE(parse("GET / HTTP/1.0" + h + "\r\n").framing.keep_alive);
  EXPECT_TRUE(parse("GET / HTTP/1.0" + h + "Connection: Keep-Alive\r\n\r\n").framing.keep_alive);
  EXPECT_FALSE(parse("GET / HTTP/1.1" + h + "Connection: x, Close\r\n\r\n").framing.keep_alive);
  EXPECT_TRUE(parse("POST / HTTP/1.1" + h + "Transfer-Encoding: Chunked\r\n\r\n").framing.chunked);
  EXPECT_TRUE(parse("POST / HTTP/1.1" + h + "Content-Length: 1\r\nExpect: 100-Continue\r\n\r\n")
                  .framing.expects_continue);
  EXPECT_FALSE(parse("POST / HTTP/1.1" + h + "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n")
                   .framing.expects_continue);
  EXPECT_FALSE(parse("POST / HTTP/1.1" + h + "Content-Length: 0\r\n\r\n").request.has_body);
}

TEST(RequestHead, TargetsOfEveryFormAreSplit) {
  EXPECT_EQ(parse("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").request.path, "*");
  const std::string absolute = "GET http://h?q HTTP/1.1\r\nHost: h\r\n\r\n";
  const auto parsed = parse(absolute);
  EXPECT_EQ(parsed.request.path, "/");
  EXPECT_EQ(parsed.request.query, "q");
  EXPECT_EQ(parsed.request.host, "h");
}

TEST(RequestHead, IsFoundWhereverItsBytesAreCut) {
  const std::string head = "GET / HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n";
  for (std::size_t cut = 0; cut < head.size(); ++cut) {
    EXPECT_EQ(find_head_end(std::string_view(head).substr(0, cut), 0).state,
              HeadEnd::State::incomplete)
        << cut;
    const HeadEnd end = find_head_end(head + "more", cut);
    EXPECT_EQ(end.state, HeadEnd::State::found) << cut;
    EXPECT_EQ(end.size, head.size()) << cut;
  }
}

struct Decoded {
  std::string data, trailers;
  bool done, failed;
  std::size_t used;
};
Decoded decode(std::string_view bytes, std::size_t piece) {
  ChunkDecoder chunks;
  Decoded decoded{};
  while (decoded.used < bytes.size() && !chunks.done() && !chunks.failed()) {
    std::string_view part = bytes.substr(decoded.used, piece);
    const std::size_t n = chunks.skip_framing(part);
    part.remove_prefix(n);
    const auto data = std::min<std::uint64_t>(part.size(), chunks.data_left());
    decoded.data += part.substr(0, data);
    if (data > 0) chunks.take(data);
    decoded.used += n + data;
  }
  for (const Header& field : chunks.trailers())
    decoded.trailers.append(field.name).append("=").append(field.value).append(";");
  decoded.done = chunks.done();
  decoded.failed = chunks.failed();
  return decoded;
}

TEST(ChunkedBody, InvalidFramingFailsAtTheByteThatIsWrong) {
  const std::vector<std::string> cases = {
      "g\r\n",
      "\r\n",
      "-1\r\n",
      "+1\r\n",
      "0x1\r\n",
      " 1\r\n",
      "1 \r\n",
      "1\n",
      "1\rX",
      ";x\r\n",
      "1111111111111111\r\n",
      "3\r\nabcd",
      "3\r\nabc\rX",
      "3\r\nabc\n",
      "1;a\rb\r\n",
      "1;a\n",
      "1;\x01\r\n",
      "1;a=\0\r\n"s,
      "0\r\nX\r\n",
      "0\r\n X: a\r\n",
      "0\r\nX : a\r\n",
      "0\r\nX: a\n",
      "0\r\nX: \0\r\n"s,
      "0\r\n\n",
      "1;" + std::string(300, 'a'),
  };
  for (const std::string& body : cases) EXPECT_TRUE(decode(body, 1000).failed) << body;
}

TEST(ChunkedBody, FloodsOfExtensionsAndTrailersFail) {
  std::string extensions;
  for (int i = 0; i < 200; ++i) extensions += "1;" + std::string(200, 'e') + "\r\nx\r\n";
  EXPECT_TRUE(decode(extensions + "0\r\n\r\n", 4096).failed);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 5000; ++i) trailers += "A: b\r\n";
  EXPECT_TRUE(decode(trailers + "\r\n", 4096).failed);
}

TEST(ChunkedBody, DecodesTheSameInPiecesOfEverySize) {
  const std::string body =
      "5\r\nhello\r\nA;name=\"v\"\r\n, wide wor\r\n2\r\nld\r\n000\r\nX-A:x\r\nB: \t y z \r\nB:\r\n\r\n";
  for (std::size_t piece = 1; piece <= body.size(); ++piece) {
    const Decoded decoded = decode(body + "GET", piece);
    EXPECT_EQ(decoded.data, "hello, wide world") << piece;
    EXPECT_TRUE(decoded.done) << piece;
    EXPECT_EQ(decoded.used, body.size()) << piece;
    EXPECT_EQ(decoded.trailers, "X-A=x;B=y z;B=;") << piece;
  }
}

TEST(ChunkedBody, WhatBelongsIntoTheHeadIsNoTrailer) {
  for (const auto* name :
       {"Content-Length", "transfer-encoding", "HOST", "Trailer", "TE", "Set-Cookie",
        "Authorization", "Connection", "Content-Type", "Cache-Control"}) {
    EXPECT_FALSE(may_be_trailer(name)) << name;
    EXPECT_TRUE(decode("0\r\n" + std::string(name) + ": 1\r\n\r\n", 3).failed) << name;
  }
  for (const auto* name : {"Server-Timing", "Digest", "ETag", "grpc-status", "Authentication-Info"})
    EXPECT_TRUE(may_be_trailer(name)) << name;
}

TEST(ChunkedBody, HasSoManyTrailersAndNoMore) {
  std::string trailers;
  for (int i = 0; i < 64; ++i) trailers += "A: b\r\n";
  EXPECT_TRUE(decode("0\r\n" + trailers + "\r\n", 100).done);
  EXPECT_TRUE(decode("0\r\n" + trailers + "A: b\r\n\r\n", 100).failed);
}

TEST(Problem, NeverShowsTheMessageAndNamesTheExchange) {
  const Error error(Code::guest_trapped, "a secret");
  EXPECT_EQ(problem_head(error).status, 502);
  const std::string body = problem_body(error, 0xabc);
  EXPECT_THAT(body, testing::Not(testing::HasSubstr("secret")));
  EXPECT_THAT(body, testing::HasSubstr(R"("code":"guest_trapped","id":"0000000000000abc")"));
}

TEST(Problem, TheCataloguesTextsNeedNoEscaping) {
#define CARREL_ERROR(name, number, status, text) \
  EXPECT_EQ(std::string_view(text).find_first_of("\"\\\n\t"), std::string_view::npos) << text;
#include "base/errors.inc"
#undef CARREL_ERROR
}

}  // namespace
}  // namespace carrel::net
