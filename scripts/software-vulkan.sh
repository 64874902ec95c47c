#!/usr/bin/env bash
# Unpacks a software Vulkan driver from Debian's packages beside the system (no root, nothing installed), so that WebGPU computes
# without a GPU, and prints what to set:
#   eval "$(scripts/software-vulkan.sh [DIRECTORY] [mesa|swiftshader])"
# Debian 12's own Mesa (22.3) is too old for WebGPU: there it comes from bookworm-backports. What is unpacked already is used again.
set -euo pipefail

directory=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/nightkiln-software-vulkan}
driver=${2:-mesa}
case $driver in
  mesa) package=mesa-vulkan-drivers library=libvulkan_lvp.so ;;
  swiftshader) package=chromium-common library=libvk_swiftshader.so ;;
  *) echo "software-vulkan: the driver is \"$driver\", valid: mesa, swiftshader" >&2; exit 2 ;;
esac
for program in apt-get dpkg-deb; do
  command -v "$program" >/dev/null || { echo "software-vulkan: needs $program (Debian or Ubuntu)" >&2; exit 2; }
done

mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
root=$directory/$driver
icd=$root/icd.json

fetch() {
  local apt=$directory/apt release
  release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
  local options=(-qq -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o Debug::NoLocking=1 -o Acquire::Retries=2)
  if [ "$release" = bookworm ]; then
    # From the mirror that the system uses itself.
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | sort -u | head -1)
    local signed="[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:?apt knows no mirror}"
    printf 'deb %s %s main\n' "$signed" bookworm "$signed" bookworm-backports >"$apt/sources.list"
    options+=(-o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=-)
    [ "$driver" = swiftshader ] || options+=(-t bookworm-backports)
  fi
  [ "$(id -u)" -ne 0 ] || options+=(-o APT::Sandbox::User=root)
  apt-get "${options[@]}" update
  # The driver, the loader, and what they need that is not installed. What of Mesa draws pictures is not needed.
  local wanted
  wanted=$(apt-get "${options[@]}" --print-uris --no-install-recommends install "$package" libvulkan1 \
    | awk '{ print $2 }' | sed 's/_.*//' | grep -vE '^(libc6|libegl|libgl|libgbm|libxnvctrl|mesa-libgallium|xdg-)' || true)
  # Also when they are installed: then apt has nothing to do.
  wanted=$(printf '%s\n' $wanted "$package" libvulkan1 | sort -u)
  rm -rf "$apt/debs" "$root.next"
  mkdir -p "$apt/debs" "$root.next"
  # shellcheck disable=SC2086
  (cd "$apt/debs" && apt-get "${options[@]}" download $wanted)
  local file
  for file in "$apt"/debs/*.deb; do dpkg-deb -x "$file" "$root.next"; done
  rm -rf "$root" "$apt"
  mv "$root.next" "$root"
}

if [ ! -f "$icd" ]; then
  fetch >&2
  found=$(find "$root" -name "$library" -print -quit)
  [ -n "$found" ] || { echo "software-vulkan: $package holds no $library" >&2; exit 1; }
  printf '{"file_format_version":"1.0.0","ICD":{"library_path":"%s","api_version":"1.1.0"}}\n' "$found" >"$icd"
fi
libraries=$(dirname "$(find "$root" -name libvulkan.so.1 -print -quit)")
echo "export LD_LIBRARY_PATH='$libraries'\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
echo "export VK_DRIVER_FILES='$icd'"
# Mesa complains without one.
echo "export XDG_RUNTIME_DIR=\"\${XDG_RUNTIME_DIR:-$directory}\""
