# A lab node, first half: its network, while process numbers are still the host's, and a layer over /etc and /usr.
# Runs in new network, host name and mount namespaces. Reads LAB_* from its environment.
set -eu
cd "$LAB_FOLDER"

ip link set lo up
ip link add eth0 type veth peer name "node$LAB_NUMBER" netns "$LAB_HUB"
nsenter --target "$LAB_HUB" --net ip link set "node$LAB_NUMBER" master br0 up
ip addr add "$LAB_ADDRESS/27" brd + dev eth0
ip link set eth0 up
ip route add default via "$LAB_GATEWAY"

count=0
while read -r path; do
  count=$((count + 1))
  [ -z "$path" ] || { mkdir -p "bound/$count" && mount --bind "$path" "bound/$count"; }
done <<<"$LAB_SHARED"

mkdir layer
mount -t tmpfs lab layer
for top in etc usr; do
  mkdir "layer/$top" "layer/$top.work"
  mount -t overlay -o "lowerdir=/$top,upperdir=$PWD/layer/$top,workdir=$PWD/layer/$top.work" lab "/$top"
done
# Files of the host that the node must not have.
rm -rf /etc/ssh/ssh_host_* /etc/ssh/sshd_config.d /etc/localtime /etc/timezone /etc/centos-release /etc/redhat-release \
  /etc/default/grub.d /etc/kubernetes /etc/selinux /etc/ufw /etc/systemd/system/kubelet.service /usr/local/bin \
  /usr/local/sbin
# shellcheck disable=SC2086 # a list of paths
rm -rf $LAB_REMOVED
mkdir /usr/local/bin /usr/local/sbin
for top in etc usr; do cp -a --remove-destination "files/$top/." "/$top/"; done
ln -s /usr/share/zoneinfo/Etc/UTC /etc/localtime

sed -i "s|^root:[^:]*:|root:$LAB_PASSWORD_HASH:|" /etc/shadow
echo "$LAB_OPERATOR:x:4200:4200::/home/$LAB_OPERATOR:/bin/bash" >>/etc/passwd
echo "$LAB_OPERATOR:x:4200:" >>/etc/group
echo "$LAB_OPERATOR:$LAB_PASSWORD_HASH:19000:0:99999:7:::" >>/etc/shadow
chown -R 4200:4200 "files/home/$LAB_OPERATOR"

exec unshare --pid --fork --kill-child bash "$LAB_INSIDE"
