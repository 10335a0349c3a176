# The main process of every container. It is idle until a job comes on standard input, runs it, and tells on standard output how it went.
# It trusts nothing that the program did: a program that says the last words itself only ends its own run early.
exec 3>&2 2>/dev/null
umask 022
IFS=' ' read -r mark control files seconds cpu open artifacts most port || exit 0
head -c "$control" | tar -xf - -C /program || exit 125
if [ "$files" -gt 0 ]; then
  head -c "$files" | tar -xf - -C /work
  # The files that were sent do not fit.
  if [ "${PIPESTATUS[1]}" -ne 0 ]; then
    printf '%s ' "$mark" >&3
    printf '%s 1 0 0 0 0 %s 0\n' "$mark" "$(stat -f -c '%a %d' /work)"
    exit 0
  fi
fi
mapfile -d '' -t environment </program/.environment
mapfile -d '' -t command </program/.command
cd /work || exit 125
# The only way out, where there is one: a socket behind a port of the container's own loopback.
if [ "$port" -gt 0 ]; then
  socat "TCP4-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork,max-children=32" UNIX-CONNECT:/run/glovebox/egress </dev/null >/dev/null 2>&1 3>&- &
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    (: <"/dev/tcp/127.0.0.1/$port") && break
    sleep 0.02
  done
fi
(
  ulimit -t "$cpu" || exit 125
  # The engine may allow fewer, which is narrower still.
  ulimit -n "$open"
  exec timeout -s KILL "$seconds" env -i "${environment[@]}" "${command[@]}" 2>&3 3>&-
)
code=$?
kill -9 -1
# Nobody else holds the stream any more: this is where it ends, and quicker to see than the end of the container.
printf '%s ' "$mark" >&3
exec 3>&-
fact() {
  local value=
  for file in "${@:2}"; do
    [ -r "$file" ] && value=$(sed -n "s/^$1\([0-9]\{1,\}\)$/\1/p" "$file") && [ -n "$value" ] && break
  done
  echo "${value:-0}"
}
here=/sys/fs/cgroup
oom=$(fact 'oom_kill ' $here/memory.events $here/memory/memory.oom_control)
processes=$(fact 'max ' $here/pids.events $here/pids/pids.events)
micros=$(fact 'usage_usec ' $here/cpu.stat)
nanos=$(fact '' $here/cpuacct/cpuacct.usage)
[ "$nanos" -gt 0 ] && micros=$((nanos / 1000))
peak=$(fact '' $here/memory.peak $here/memory/memory.max_usage_in_bytes)
read -r blocks inodes <<<"$(stat -f -c '%a %d' /work)"
# What the driver tells of the program's value or exception.
told=/program/.completion
size=0
[ -f $told ] && [ ! -L $told ] && size=$(stat -c %s $told)
[ "$size" -le "$most" ] || size=0
printf '%s %s %s %s %s %s %s %s %s\n' "$mark" "$code" "$oom" "$processes" "$micros" "$peak" "$blocks" "$inodes" "$size"
[ "$size" -gt 0 ] && head -c "$size" $told
if [ "$artifacts" = 1 ]; then tar -cf - -C /work --sort=name .; fi
exit 0
