# Runs one command outside the manager and leaves its exit status in a file.
#
#   sh runner.sh <attempt directory> <heal script> <boot id> <umask of the command> <program> [argument...]
#
# It exits with 70, 71, 72 or 73 when it did not start the command.
# The braces make the shell read the whole script first: an update may replace this file while a command runs.
# No variable is assigned before the command: the job may have exported one of that name, and would get ours.
# `command -p` finds the system's tools whatever PATH the job has.
{
  umask 077

  # Not '' : an ignored signal would be inherited by the command.
  trap : TERM INT HUP

  # Before the gate: whoever loses the gate to this runner finds the pid complete.
  printf 'pid %s %s\n' "$$" "$3" >"$1/pid" || exit 70

  # Lost: the attempt was revoked and must not run.
  command -p mkdir "$1/gate" || exit 71

  if [ -e "$1/interactive" ]; then
    command -p mkfifo "$1/input" "$1/input.end" || exit 73
    # 3 ends with this shell, 6 with the holder: it keeps the input open until somebody writes a line to input.end, or this
    # shell is gone. Opened in this order nothing waits for another end.
    exec 3<>"$1/input.end"
    exec 5<>"$1/input"
    exec 6>"$1/input"
    exec 5<"$1/input"
    # The holder ends without a signal, and never by one: not even by what the command sends to its group at once.
    trap '' TERM INT HUP
    (
      exec 4<"$1/input.end" 3>&- 5<&-
      [ ! -f "$1/stdin" ] || (
        # What writes the input can be ended.
        trap - TERM INT HUP
        command -p cat "$1/stdin" >&6
      )
      : >"$1/input.ready"
      read -r line <&4
    ) &
    trap : TERM INT HUP
    printf '%s\n' "$!" >"$1/input.holder"
    exec 6>&-
  elif [ -f "$1/stdin" ]; then
    exec 5<"$1/stdin"
  else
    exec 5</dev/null
  fi

  # `output` appears here: without it nothing ran.
  printf '' >>"$1/output" || exit 72
  exec 4>>"$1/output"

  (
    umask "$4"
    shift 4
    exec "$@" 3>&- 4>&- 5<&-
  ) >&4 2>&4 <&5
  # The status first, then what was given.
  set -- "$?" "$@"
  exec 3>&- 4>&- 5<&-

  # On a full disk this waits for space; a removed directory ends it. The rename out of `gate` wakes whoever watches it.
  # The command may have left something there that is no file: opening it could block, moving into it would hide the file.
  until { [ ! -e "$2/gate/exit" ] || command -p rm -rf "$2/gate/exit"; } &&
    printf 'exit %s %s\n' "$1" "$4" >"$2/gate/exit" &&
    { [ ! -d "$2/exit" ] || command -p rm -rf "$2/exit"; } &&
    command -p mv -f "$2/gate/exit" "$2/exit"; do
    [ -d "$2/gate" ] || break
    command -p sleep 1
  done

  # If no manager lives, this starts one; it is no part of the job any more.
  if [ -f "$3" ]; then
    unset NIGHTKILN_JOB_ID NIGHTKILN_ATTEMPT_UNIT NIGHTKILN_ATTEMPT NIGHTKILN_FENCE NIGHTKILN_INSTANCE
    NIGHTKILN_PROCESS=launcher
    export NIGHTKILN_PROCESS
    cd / || exit 0
    command -p sh "$3" 3>&- </dev/null >/dev/null 2>&1 &
  fi
  exit 0
}
