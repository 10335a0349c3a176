# Report of a program: how it ended, what it used, and what it leaves behind.

# Kills all processes but this one at once: none can fork while the kernel goes through the list.
# Then waits until they are gone.
kill_all() {
  local ends=$((SECONDS + 2))
  kill -9 -1
  while kill -0 -1 && [ $SECONDS -lt $ends ]; do :; done
}

# counter NAME KEY FILE...: assigns to NAME the number after KEY of the first file that has it, or
# the only number if KEY is empty.
counter() {
  local -n into=$1
  local key value file
  into=0
  for file in "${@:3}"; do
    [ -r "$file" ] || continue
    while read -r key value; do
      [ -n "$2" ] || value=$key key=
      [[ $key == "$2" && $value =~ ^[0-9]+$ ]] && into=$value && return
    done <"$file"
  done
}

# Assigns the kernel's counters of this container.
count() {
  local cgroup=/sys/fs/cgroup
  counter oom oom_kill $cgroup/memory.events $cgroup/memory/memory.oom_control
  counter processes max $cgroup/pids.events $cgroup/pids/pids.events
  count_cpu
  counter peak '' $cgroup/memory.peak $cgroup/memory/memory.max_usage_in_bytes
}

count_cpu() {
  local cgroup=/sys/fs/cgroup nanos
  counter micros usage_usec $cgroup/cpu.stat
  counter nanos '' $cgroup/cpuacct/cpuacct.usage
  [ "$nanos" -gt 0 ] && micros=$((nanos / 1000))
}

# The counters at the start of an evaluation; zero for the only program of a container.
oom_before=0 processes_before=0 micros_before=0

# report ALIVE: writes the delimiters, the trailer, the program's value or exception, and the
# workspace. No process of the program may be running.
report() {
  local blocks inodes size=0
  # The end of standard error.
  printf '%s ' "$delimiter" >&5
  count
  read -r blocks inodes <<<"$(stat -f -c '%a %d' /work)"
  [ -s $completion ] && size=$(stat -c %s $completion)
  [ "${size:=0}" -le "$max_completion" ] || size=0
  printf '%s %s %s %s %s %s %s %s %s %s\n' "$delimiter" "$code" "$((oom - oom_before))" \
    "$((processes - processes_before))" "$((micros - micros_before))" "$peak" "$blocks" "$inodes" \
    "$size" "$1" >&4
  [ "$size" -gt 0 ] && head -c "$size" $completion >&4
  # As the program's user, because root without capabilities cannot read its private files.
  if [ "$artifacts" = 1 ]; then "${program[@]}" tar -cf - -C /work --sort=name . >&4; fi
}
