# Sourced by ./run and ./test: finds which Debian packages are missing, says so, installs them; builds.

# package, then what it is for
packages_for() {
    cat <<'END'
build gcc the C compiler
build libc6-dev the C library's headers
build meson the build system
build ninja-build what runs the build
build pkg-config finds libraries
build libuv1-dev event loops
build libnghttp2-dev HTTP/2
build libprotobuf-c-dev Protocol Buffers in C
build protobuf-c-compiler makes C from protos
build protobuf-compiler makes descriptors from protos
build libprotobuf-dev the well-known protos
build libssl-dev TLS, SHA-256, Base64
build zlib1g-dev gzip
build libxxhash-dev checksums, hash tables
build libjansson-dev JSON
build libcurl4-openssl-dev requests to the carriers
build libcsv-dev the data set
build libhttp-parser-dev HTTP/1.1
build librocksdb-dev the events of tracking on disk
build libsqlite3-dev SQLite
build libpq-dev PostgreSQL's client library
build libzint-dev bar codes of labels
build libcairo2-dev labels as PDF and PNG
build libpango1.0-dev their text, in any script
build fonts-dejavu-core letters of labels: Latin, Greek, Cyrillic, Hebrew, Arabic
build fonts-wqy-microhei letters of labels: Chinese, Japanese, Korean
build tzdata the local time of warehouses
test zbar-tools reads bar codes back
test dmtx-utils reads Data Matrix back
test poppler-utils reads PDF back
test libcmocka-dev unit tests
test clang-14 the second compiler, sanitizers and fuzzing
test libclang-rt-14-dev their runtime
test llvm-14 readable stacks of the sanitizers
test clang-format-14 the format check
test postgresql-15 a real PostgreSQL for the tests
test openssl makes certificates for the tests of TLS
test curl the documents call the server with it
test python3-venv outside tools written in Python
test slowhttptest slow heads, bodies and readers
test nghttp2-client loads servers over HTTP/1.1 and HTTP/2
test python3-grpcio a gRPC client that we did not write
test python3-protobuf its messages
END
}

install_packages() {
    missing=
    list=$(mktemp)
    packages_for | while read -r group package reason; do
        if [ "$group" = build ] || [ "$1" = test ]; then
            dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' ||
                echo "$package $reason"
        fi
    done >"$list"
    if [ ! -s "$list" ]; then
        rm -f "$list"
        return 0
    fi
    echo "These Debian packages are missing and will be installed:"
    sed 's/^\([^ ]*\) \(.*\)$/  \1  (\2)/' "$list"
    missing=$(sed 's/ .*//' "$list" | tr '\n' ' ')
    rm -f "$list"
    as_root=
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo >/dev/null 2>&1; then
            as_root=sudo
        else
            echo "This needs root. Run as root:" >&2
            echo "  apt-get update && apt-get install -y --no-install-recommends $missing" >&2
            exit 1
        fi
    fi
    log=$(mktemp)
    # shellcheck disable=SC2086
    if ! install_now >"$log" 2>&1; then
        cat "$log" >&2
        echo "The packages could not be installed; the lines above say why." >&2
        exit 1
    fi
    rm -f "$log"
}

# A fresh machine has no package lists; a stale one has wrong ones: then they are fetched, and once more.
install_now() {
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing && return 0
    $as_root apt-get update &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
}

# build/waybill, as users run it.
build_program() {
    log=$(mktemp)
    if [ ! -f build/build.ninja ]; then
        echo "Configuring the build…"
        CC=gcc meson setup build -Dwerror=false -Dtests=disabled >"$log" 2>&1 || {
            cat "$log" >&2
            exit 1
        }
    fi
    echo "Building…"
    if [ -t 1 ]; then # one line that counts, and what goes wrong
        NINJA_STATUS='  %f of %t  ' ninja -C build src/main/waybill || exit 1
    else
        ninja -C build src/main/waybill >"$log" 2>&1 || {
            cat "$log" >&2
            exit 1
        }
    fi
    ln -sf src/main/waybill build/waybill
    rm -f "$log"
}
