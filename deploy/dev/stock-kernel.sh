#!/usr/bin/env bash
# Fetches a stock Debian kernel for the tests of what other kernels lack (testkit/src/vm), and makes what boots it in QEMU.
# Nothing is installed on this machine: the packages are unpacked in .tools/stock-kernel, which `make distclean` removes.
#   layer/    the kernel's modules and udev, laid over the guest's root
#   vmlinuz, initrd
#   ready     which packages these are; written last
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PATH=$PATH:/usr/sbin:/sbin
home=.tools/stock-kernel
if [[ -e $home/ready ]]; then exit 0; fi

say() { printf '%s\n' "stock kernel: $*" >&2; }
rm -rf "$home.new"
mkdir -p "$home.new"/{debs,initramfs,layer}
cd "$home.new"
say "fetching Debian's kernel and unpacking it (430 MB)"
kernel=$(apt-cache depends linux-image-amd64 | awk '/Depends:/ {print $2; exit}')
[[ -n $kernel ]] || { say "no package source of this machine has linux-image-amd64"; exit 1; }
# udev of the very version of this machine's systemd, which the guest runs.
systemd=$(dpkg-query -W -f '${Version}' systemd)
(
  cd debs
  apt-get download -qq "$kernel" "udev=$systemd" kmod libkmod2 dmsetup libdevmapper1.02.1 busybox-static 2> >(grep -v unsandboxed >&2)
)
for deb in debs/*.deb; do dpkg -x "$deb" tree; done
# Where /usr is merged, /bin, /lib and /sbin are links, which folders of these names would hide.
for folder in bin sbin lib; do
  if [[ -d tree/$folder ]]; then
    mkdir -p "tree/usr/$folder"
    cp -al "tree/$folder/." "tree/usr/$folder/"
    rm -rf "tree/$folder"
  fi
done
mv tree/boot/vmlinuz-* vmlinuz
rm -rf tree/boot layer
mv tree layer
version=$(ls layer/usr/lib/modules)
# The package's links to it are absolute, and so of use in the guest alone.
kmod() { (exec -a "$1" layer/usr/bin/kmod "${@:2}"); }
kmod depmod -b layer/usr "$version"

mkdir -p initramfs/{bin,mod,proc,sys,dev,layer,lower,disk,new}
cp layer/usr/bin/busybox initramfs/bin/
for module in virtio_pci virtio_blk virtio_console 9pnet_virtio 9p overlay crc32c_generic crc32c ext4; do
  kmod modprobe -d layer/usr -S "$version" --show-depends "$module"
done | awk '$1 == "insmod" && !seen[$2]++ {print $2}' |
  while read -r module; do
    cp "$module" initramfs/mod/
    basename "$module"
  done >initramfs/mod/order
# The guest's root: this machine's "/" read only, the layer over it, and its own disk over both.
cat >initramfs/init <<'INIT'
#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/mod/$module" || echo "initramfs: $module failed"; done </mod/order
nine=ro,trans=virtio,version=9p2000.L,msize=524288,cache=loose
mount -t 9p -o $nine layer /layer || exec sh
mount -t 9p -o $nine lower /lower || exec sh
tries=0
until [ -b /dev/vda ]; do tries=$((tries + 1)); [ $tries -lt 200 ] || exec sh; sleep 0.05; done
mount -t ext4 /dev/vda /disk || exec sh
mount -t overlay -o lowerdir=/layer:/lower,upperdir=/disk/upper,workdir=/disk/work overlay /new || exec sh
# What this machine keeps there stays out of sight.
for folder in root var/tmp var/lib/holdfast; do
  mkdir -p "/disk/plain/$folder" "/new/$folder"
  mount --bind "/disk/plain/$folder" "/new/$folder"
done
mount -t tmpfs -o mode=1777 tmp /new/tmp
for folder in dev proc sys; do mount --move "/$folder" "/new/$folder"; done
exec switch_root /new /lib/systemd/systemd
INIT
chmod +x initramfs/init
(cd initramfs && find . | ./bin/busybox cpio -o -H newc 2>/dev/null | gzip -1) >initrd
rm -rf debs initramfs
echo "$kernel" >ready
cd - >/dev/null
rm -rf "$home"
mv "$home.new" "$home"
