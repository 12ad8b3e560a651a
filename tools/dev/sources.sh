# shellcheck shell=bash
# Which files lint and fmt mean: what git tracks or would track.

tracked() { git ls-files -co --exclude-standard -- "$@" | while read -r file; do [ ! -f "$file" ] || echo "$file"; done; }

cxx_files() { tracked 'src/*.h' 'src/*.cc' 'src/*.cc.in' 'include/*.h' 'engine/include/*.h' 'fuzz/*.cc' 'bindings/*.h' 'bindings/*.cc' | grep -v '\.in$'; }
go_files() { tracked '*.go'; }
rust_files() { tracked '*.rs'; }
python_files() { { tracked '*.py' && tracked 'tools/*' | xargs -d '\n' grep -l '^#!.*python'; } | sort -u; }
# By their first line, so that scripts without a suffix are among them.
shell_files() { tracked '*.sh' dev .ci/run 'tools/*' 'packaging/*' tests/package/boot | xargs -d '\n' grep -lE '^#!.*\b(ba)?sh$|^# shellcheck shell=' | sort -u; }

ruff() { "$(venv_dir)/bin/ruff" "$@"; }
