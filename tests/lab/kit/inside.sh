# A lab node, second half: its own /proc, /sys and folders, the host's files read-only, its faults, its sshd.
# The first process of a process namespace: when its stdin closes it ends, and the kernel ends the node's processes.
set -eu
read -r pid _ </proc/self/stat # the number by which the host knows this shell

mount -t proc proc /proc
printf '%s' "$LAB_HOSTNAME" >/proc/sys/kernel/hostname # the hostname command rejects invalid names
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys /proc/sys
mount -t sysfs -o ro sysfs /sys
for folder in /sys/module /sys/fs /run /tmp; do mount -t tmpfs lab "$folder"; done
chmod 1777 /tmp

cd "$LAB_FOLDER/files"
for file in /sys/block/*/queue/rotational; do mount --bind solid-state "$file"; done
find proc sys -type f | while read -r file; do
  case $file in
    sys/module/* | sys/fs/*) mkdir -p "/${file%/*}" && cp "$file" "/$file" ;;
    *) if [ -e "/$file" ]; then mount --bind "$file" "/$file"; fi ;;
  esac
done
for module in $LAB_MODULES; do mkdir -p "/sys/module/$module"; done
for top in $LAB_FOLDERS; do
  if [ -d "/$top" ]; then mount --bind "$top" "/$top"; fi
done
count=0
while read -r path; do
  count=$((count + 1))
  [ -z "$path" ] || { mkdir -p "$path" && mount --bind "../bound/$count" "$path"; }
done <<<"$LAB_SHARED"
cd /
mount -o remount,bind,ro / /

mkdir -p /run/sshd /run/systemd/system
printf '%s\n' "$LAB_HOSTNAME" >/etc/hostname
echo "$LAB_ADDRESS $LAB_HOSTNAME" >>/etc/hosts # without it sudo waits for a missing name server
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
eval "$LAB_FAULTS"

$LAB_SSHD
until [ -s /run/sshd.pid ]; do sleep 0.01; done
read -r type key _ </etc/ssh/ssh_host_ed25519_key.pub
echo "ready $pid $type $key"
read -r _
