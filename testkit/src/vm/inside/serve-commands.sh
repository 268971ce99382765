#!/bin/bash
# In the guest: runs the commands that come over one virtio-serial port, one after the other. One request and one answer is one line of
# base64 words, so that a torn line (a guest that rebooted, a caller that was killed) spoils only itself.
# The first number in a port's name counts all virtio devices, so it is left open.
exec 3<> /dev/vport*p"$1"
while IFS=' ' read -r id limit argv input <&3; do
  folder=$(mktemp -d /run/holdfast-vm.XXXXXX) || continue
  base64 -d <<<"$argv" >"$folder/argv" 2>/dev/null || { rm -r "$folder"; continue; }
  mapfile -d '' -t command <"$folder/argv"
  : >"$folder/in"
  [ "$input" = - ] || base64 -d <<<"$input" >"$folder/in"
  cd /
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8 \
    timeout -k 5 "$limit" "${command[@]}" <"$folder/in" >"$folder/out" 2>"$folder/err" 3>&-
  code=$?
  out=$(base64 -w0 "$folder/out")
  err=$(base64 -w0 "$folder/err")
  printf '%s %s %s %s\n' "$id" "$code" "${out:--}" "${err:--}" >&3
  rm -r "$folder"
done
