#!/bin/sh
# Runs tests on ARM without an ARM machine: sh release/arm_under_qemu.sh FOLDER [pytest arguments]
#
# FOLDER gets a Debian for arm64 with Python, the wheels of NumPy, Numba and what the tests import, a copy of this
# repository, and the machine code; a second run with the same folder only copies the repository again. qemu-aarch64
# then runs Python, and so the kernels as they are compiled for NEON. It needs root, and the packages
# qemu-user-static and debootstrap of Debian or Ubuntu; about 2 GB, and half an hour on two cores. Not a part of CI.
set -eu

if [ $# -lt 1 ]; then
    echo "usage: $0 FOLDER [pytest arguments]" >&2
    exit 2
fi
repository=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
debian=$folder/debian

if [ ! -x "$debian/usr/bin/python3.11" ]; then
    rm -rf "$debian"
    debootstrap --arch=arm64 --foreign --variant=minbase --include=python3 bookworm "$debian"
    # The second stage would run ARM programs as root; unpacking is enough for a Python.
    for package in "$debian"/var/cache/apt/archives/*.deb; do dpkg -x "$package" "$debian"; done
    # Emulation shows the files of this folder first, and LLVM reads here which processor it has: one with NEON only.
    mkdir -p "$debian/proc"
    cat > "$debian/proc/cpuinfo" <<'PROCESSOR'
processor	: 0
Features	: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer	: 0x41
CPU architecture: 8
CPU variant	: 0x3
CPU part	: 0xd0c
CPU revision	: 1
PROCESSOR
fi

if [ ! -e "$folder/site/complete" ]; then
    rm -rf "$folder/site" "$folder/wheels"
    python3 -m pip download --only-binary=:all: --python-version 3.11 --implementation cp --dest "$folder/wheels" \
        --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 --platform manylinux_2_17_aarch64 \
        --platform manylinux2014_aarch64 \
        "numpy>=2.0" "numba>=0.66,<0.69" "matplotlib>=3.8" "tqdm>=4.66" "pytest>=8" "hypothesis>=6.100" "mpmath>=1.3" \
        "safetensors>=0.4" "scipy>=1.11"
    for wheel in "$folder"/wheels/*.whl; do python3 -m zipfile -e "$wheel" "$folder/site"; done
    touch "$folder/site/complete"
fi

rm -rf "$folder/repository"
mkdir -p "$folder/repository"
cp -r "$repository/fastmlp" "$repository/tests" "$repository/pyproject.toml" "$folder/repository"
cp -r "$repository/kernels" "$folder/repository/fastmlp/kernels"
cd "$folder/repository"

# Digests of training on one, two and three threads; products, transposes, optimizers, random numbers, softmax, pairs.
if [ $# -eq 0 ]; then
    set -- \
        "tests/test_bits.py::test_threads[synthetic-96-1]" "tests/test_bits.py::test_threads[synthetic-96-2]" \
        "tests/test_bits.py::test_threads[synthetic-96-3]" "tests/test_bits.py::test_threads[synthetic-100-mixed-2]" \
        tests/kernels/test_gemm.py tests/kernels/test_pair_product.py \
        tests/kernels/test_pairs.py tests/kernels/test_transpose.py tests/kernels/test_rng.py \
        tests/kernels/test_optimizers.py tests/kernels/test_softmax.py tests/test_float_mode.py
fi
PYTHONPATH=$folder/site:$folder/repository NUMBA_CACHE_DIR=$folder/code MPLCONFIGDIR=$folder/code \
    exec qemu-aarch64-static -L "$debian" "$debian/usr/bin/python3.11" -m pytest -q -p no:cacheprovider "$@"
