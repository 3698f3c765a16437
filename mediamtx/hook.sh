#!/bin/sh
# Tells Reelkeeper what MediaMTX did: hook.sh segment-complete|segment-create|ready|not-ready
#
# The hook is a hint and never holds MediaMTX up: 3 tries, at most 5 s in all, exit code 0 always, one line on failure.
# What it could not tell, the next scan finds. For any POSIX sh (busybox ash, dash) with curl or wget.
#
# REELKEEPER_URL and REELKEEPER_HOOK_SECRET_FILE come from the environment, else from hook.env beside this script,
# which may hold REELKEEPER_HOOK_SECRET itself. The secret travels in the body, which no tool gets as an argument:
# arguments are readable by every user of the machine.

LC_ALL=C # one character is one byte
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

event=${1:-}
case $event in
segment-complete | segment-create | ready | not-ready) ;;
*)
  echo "reelkeeper hook: unknown event, expected segment-complete, segment-create, ready or not-ready" >&2
  exit 0
  ;;
esac

# Read, not sourced: a value may hold anything.
case $0 in
*/*) settings=${0%/*}/hook.env ;;
*) settings=./hook.env ;;
esac
secret=
if [ -r "$settings" ]; then
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
    REELKEEPER_URL=*) : "${REELKEEPER_URL:=${line#*=}}" ;;
    REELKEEPER_HOOK_SECRET_FILE=*) : "${REELKEEPER_HOOK_SECRET_FILE:=${line#*=}}" ;;
    REELKEEPER_HOOK_SECRET=*) secret=${line#*=} ;;
    esac
  done <"$settings"
fi
if [ -n "${REELKEEPER_HOOK_SECRET_FILE:-}" ] && [ -r "$REELKEEPER_HOOK_SECRET_FILE" ]; then
  IFS= read -r secret <"$REELKEEPER_HOOK_SECRET_FILE" || :
fi
base=${REELKEEPER_URL:-http://127.0.0.1:8080}
url=${base%/}/hooks/$event

# encode TEXT: percent-encodes all but unreserved characters and slashes, without starting a program.
encode() {
  rest=$1
  while [ -n "$rest" ]; do
    tail=${rest#?}
    char=${rest%"$tail"}
    rest=$tail
    case $char in
    [A-Za-z0-9._~/-]) printf %s "$char" ;;
    *) printf '%%%02X' "'$char" ;;
    esac
  done
}

# add NAME TEXT: appends a field to the body; the usual values need no encoding and so not even a subshell.
body=
add() {
  case $2 in
  '') return ;;
  *[!A-Za-z0-9._~/-]*) body="$body&$1=$(encode "$2")" ;;
  *) body="$body&$1=$2" ;;
  esac
}
add secret "$secret"
add path "${MTX_PATH:-}"
case $event in
segment-*)
  add segmentPath "${MTX_SEGMENT_PATH:-}"
  add segmentDuration "${MTX_SEGMENT_DURATION:-}"
  ;;
*)
  add sourceType "${MTX_SOURCE_TYPE:-}"
  add sourceId "${MTX_SOURCE_ID:-}"
  ;;
esac
body=${body#&}

has() {
  command -v "$1" >/dev/null 2>&1
}

# within SECONDS COMMAND...: busybox wget has no deadline of its own in some builds and crashes with it in others.
within() {
  seconds=$1
  shift
  if has timeout; then
    timeout "$seconds" "$@"
  elif has busybox; then
    busybox timeout "$seconds" "$@"
  else
    "$@" -T "$seconds"
  fi
}

# GNU wget takes a body from nothing but a regular file.
send_from_file() {
  file=${TMPDIR:-/tmp}/reelkeeper-hook.$$
  (umask 077 && set -C && printf %s "$body" >"$file") 2>/dev/null || return 1
  within "$1" wget -q -O /dev/null --tries=1 --max-redirect=0 --post-file="$file" "$url"
  result=$?
  rm -f "$file"
  return $result
}

if has curl; then
  send() {
    printf %s "$body" |
      curl -q -sfL --max-redirs 0 -o /dev/null --noproxy '*' --max-time "$1" --data-binary @- "$url"
  }
elif has wget && wget --version >/dev/null 2>&1; then
  send() { send_from_file "$1"; }
elif has wget; then
  send() { printf %s "$body" | within "$1" wget -q -O /dev/null --post-file - "$url"; }
elif has busybox; then
  send() { printf %s "$body" | within "$1" busybox wget -q -O /dev/null --post-file - "$url"; }
else
  echo "reelkeeper hook: neither curl nor wget is here, segments are found by the scan only" >&2
  exit 0
fi

# 2 s + 1 s + 1 s and two pauses stay below 5 s. A sleep that knows no fractions fails at once: then without a pause.
tried=
for limit in 2 1 1; do
  [ -z "$tried" ] || sleep 0.4 2>/dev/null || :
  send "$limit" >/dev/null 2>&1 && exit 0
  tried=1
done
echo "reelkeeper hook: $event not told to $base, the next scan finds it" >&2
exit 0
