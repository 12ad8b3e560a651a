// For tests: keys that guard nothing.
#pragma once

namespace carrel::oci {

inline constexpr char kPlainKey[] = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLPfHN/thjwV/wTSp
097/zIxrJCUl1FBYzMAsGFgWP8OhRANCAATRtma2acJMIC0LLU/fKst5j88oP8z2
kC6lr9Ou/QAAaz/8kP77iz8WbMGtE8W8cftMM+LmBmovtD1lyjI+sXzW
-----END PRIVATE KEY-----
)";

inline constexpr char kPlainPublic[] = R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0bZmtmnCTCAtCy1P3yrLeY/PKD/M
9pAupa/Trv0AAGs//JD++4s/FmzBrRPFvHH7TDPi5gZqL7Q9ZcoyPrF81g==
-----END PUBLIC KEY-----
)";

// the same as kPlainKey; password: pw
inline constexpr char kEncryptedKey[] = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHrMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAhZcXRPCrjBdQIBATAM
BggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQwK7fUIOaSRNaD4Z+bNv+wQSBkPry
Sfw2whNWdDdx5AvSXMLcyDM30scT3CWkxX71g0GSpF0lTYQOiqAUP4hP6k8oWdba
JBxaG1802RGqPpUSOUaCr3NUnjHWiUTIP7ZbTaqMnqDwDpbY7hcdVoTxd+9pP59T
tBjLgzONVCm1o4vtY/uPrzxUilqFoNqN0TnMAz2G5AtEj4CdVJJZVhzUpkPO/Q==
-----END ENCRYPTED PRIVATE KEY-----
)";

// by cosign 2.6; password: pw
inline constexpr char kCosignKey[] = R"(-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6
OCwicCI6MX0sInNhbHQiOiJTcUNpcnVkeXAzOGhXRG4wcjk3UjY5MmtndmFsbEt0
c1BhN0ZXcVNna1pzPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
Iiwibm9uY2UiOiJUbm5WUHZzTUVUWUtKQXpyWHIyRHF3L2xNdms2ay85ZSJ9LCJj
aXBoZXJ0ZXh0IjoidHErZDFjTnhzeXZjSDhWS09pS21VV0FkRVVTd2JNcUZ4UGl2
QTdVd2NyNHRWSVZRc3JPKzJtR0hqaVJITzRtUDU3eDJtWmRTcGJRemtqU3krK3RN
dTRKMnBiREJIczdaeXU2MXlJdUF3N1R6QWlMcitld2gzNTljdW5sbUJSUng0Mmg0
c1IrTFFhOUtidEgwMEJ2MHh2eit2NE9QcWpRNkF2aVNwK3QweDQyNFJ4amF2bEpu
bG5MTjF6UG54c0VOU1NuOVpsRGF0VUs4aFE9PSJ9
-----END ENCRYPTED SIGSTORE PRIVATE KEY-----
)";

inline constexpr char kCosignPublic[] = R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAER9+SbNIiqXhnXw0ye3/LqV6YQE7m
zOgw97X/BKYyyTIE84V8DqvjMRKYh2mBW9oQ4xV7P6ThGSjcXo0Q7xqQCQ==
-----END PUBLIC KEY-----
)";

inline constexpr char kP384Key[] = R"(-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDArdWtnYMVmaf2j2R0b
XPxLJwiaZf5pu0vbb0Gj1TTpvGqQ8HLS8DkLcbeIxfg5QF+hZANiAASMJbDznZoy
BUXE+FGptpsAapAPgm3pzCX1nNawGFPUQ+UHtasKqe3Y1UN/vqN+82eT1oX7nNHm
hAsQW2PDiGsanrepH7irmIdgcnlP5y+KJmPxhrbHGYapr7tHKCiAgjM=
-----END PRIVATE KEY-----
)";

inline constexpr char kEd25519Public[] = R"(-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA3nNF4YMGT8+ZEjJXzixSrTHT/gp/A/GQmAaWoEOaTJw=
-----END PUBLIC KEY-----
)";

}  // namespace carrel::oci
