"""The scripts of a remote install that `run_script` runs on the installer node. `@NAME@` stands for a value."""

from acp_tui.install.remote.trusted_path import TRUSTED_FOLDER

LOCKED, CANNOT_WRITE, NO_TOOL = 70, 74, 127
"""Exit statuses of the scripts: another host uploads, the folder is not writable, a tool is missing."""

# flock(1) prevents a second install, and shows whether one runs. Child processes do not inherit the lock.
# The umask keeps the lock file private, because every user who can open it can also lock it.
READ = (
    """
umask 077
local offset=@OFFSET@ size=0 running=0 status=-
cd @FOLDER@ 2>/dev/null || { echo "0 - 0"; return 0; }
"""
    + TRUSTED_FOLDER
    + """
type -P flock >/dev/null || return 127
flock -n lock true || running=1
[ "$running" -eq 1 ] || [ ! -e exit ] || read -r status <exit
[ ! -e install.log ] || size=$(stat -c %s install.log)
[ "$offset" -ge 0 ] || offset=$((size > @END@ ? size - @END@ : 0))
[ "$size" -ge "$offset" ] || offset=0
[ $((size - offset)) -le @MOST@ ] || size=$((offset + @MOST@))
echo "$running $status $size"
[ "$size" -eq "$offset" ] || tail -c +$((offset + 1)) install.log | head -c $((size - offset))
return 0
"""
)
# The uploading host touches the file `sender`. The same host may continue at once: a lock on it allows one upload.
ACQUIRE = (
    TRUSTED_FOLDER
    + """
umask 077
cd @FOLDER@ || return 74
local sender= age
{
  flock -w 9 9
  if read -r sender 2>/dev/null <sender && [ "${sender%% *}" != @NAME@ ]; then
    age=$(($(date +%s) - $(stat -c %Y sender)))
    [ "$age" -gt @TIMEOUT@ ] || { echo "$sender"; return 70; }
  fi
  printf '%s\\n' @SENDER@ >sender || return 74
} 9>claim
"""
)
REFRESH = """
local sender=
cd @FOLDER@ && read -r sender <sender
[ "$sender" = @SENDER@ ] || { echo "$sender"; return 70; }
touch sender
"""
START = (
    TRUSTED_FOLDER
    + REFRESH
    + """
umask 077
type -P flock >/dev/null && type -P setsid >/dev/null || return 127
flock -n lock true || return 0
export HOME=~root LANG=C.UTF-8
unset LC_ALL
rm -f exit; : >install.log && printf '%s\\n' @PROGRAM@ >started-by || return 74
( setsid bash -c '
  exec 9>lock; flock -w 9 9 || exit  # a status query may hold the lock for a moment
  ( umask 022; exec 9>&-; bash -c "$1 install $2 @FLAGS@" ) >>install.log 2>&1; status=$?
  rm -rf bundle keys; echo "$status" >exit.new; mv exit.new exit
' - @PROGRAM@ @FOLDER@/bundle </dev/null >/dev/null 2>&1 & )
until [ -e exit ] || ! flock -n lock true; do sleep 0.1; done
"""
)
STATUS = (
    """
local program=
export HOME=~root LANG=C.UTF-8
cd @FOLDER@ 2>/dev/null && read -r program 2>/dev/null <started-by || return 66
"""
    + TRUSTED_FOLDER
    + """
bash -c "$program status @FLAGS@" @REDIRECT@
"""
)
