# Runs one command outside the manager and leaves its exit status in a file.
#
#   sh runner.sh <attempt directory> <heal script> <boot id> <umask of the command> <program> [argument...]
#
# The braces make the shell read the whole script first: an update may replace this file while a command runs.
# The long variable names cannot collide with an exported variable of the job, which an assignment would change.
# `command -p` finds the system's tools whatever PATH the job has.
{
  nightkiln_directory=$1
  nightkiln_heal=$2
  nightkiln_boot=$3
  nightkiln_umask=$4
  shift 4
  umask 077

  # Not '' : an ignored signal would be inherited by the command.
  trap : TERM INT HUP

  # Before the gate: whoever loses the gate to this runner finds the pid complete.
  nightkiln_stat=-
  if [ -r "/proc/$$/stat" ]; then IFS= read -r nightkiln_stat <"/proc/$$/stat"; fi
  printf 'pid %s %s %s\n' "$$" "$nightkiln_boot" "$nightkiln_stat" >"$nightkiln_directory/pid" || exit 70

  # Lost: the attempt was revoked and must not run.
  command -p mkdir "$nightkiln_directory/gate" || exit 71

  nightkiln_input=/dev/null
  if [ -f "$nightkiln_directory/stdin" ]; then nightkiln_input=$nightkiln_directory/stdin; fi
  if [ -p "$nightkiln_directory/input" ]; then
    # Held open for reading and writing: the command sees no end of input between two writers.
    exec 3<>"$nightkiln_directory/input"
    nightkiln_input=$nightkiln_directory/input
  fi

  # `output` appears here: without it nothing ran.
  (
    umask "$nightkiln_umask"
    exec "$@" 3>&-
  ) >>"$nightkiln_directory/output" 2>&1 <"$nightkiln_input"
  nightkiln_status=$?

  # On a full disk this waits for space; a removed directory ends it. The rename out of `gate` wakes whoever watches it.
  until printf 'exit %s %s\n' "$nightkiln_status" "$nightkiln_boot" >"$nightkiln_directory/gate/exit" &&
    command -p mv -f "$nightkiln_directory/gate/exit" "$nightkiln_directory/exit"; do
    [ -d "$nightkiln_directory/gate" ] || break
    command -p sleep 1
  done

  # If no manager lives, this starts one; it is no part of the job any more.
  if [ -f "$nightkiln_heal" ]; then
    unset NIGHTKILN_JOB_ID NIGHTKILN_UNIT NIGHTKILN_ATTEMPT NIGHTKILN_FENCE NIGHTKILN_INSTANCE
    NIGHTKILN_PROCESS=launcher
    export NIGHTKILN_PROCESS
    cd / || exit 0
    command -p sh "$nightkiln_heal" 3>&- </dev/null >/dev/null 2>&1 &
  fi
  exit 0
}
