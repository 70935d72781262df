#!/bin/sh
# A router with the same network in two VRFs and outside, and what its routing daemon makes of it.
#
#   DAEMON="bird -f"  CLIENT=birdc  DIALECT=2 PEER="bird -f" sh scene.sh > bird.txt
#   DAEMON="rbird -d" CLIENT=rbirdc DIALECT=2 PEER="bird -f" sh scene.sh > rbird.txt
#
# DIALECT (1 or 2) is that of the router, PEER any BIRD of the dialect PEER_DIALECT (by default the same). It needs
# root and a kernel with CONFIG_NET_VRF, makes network namespaces whose names begin with `vrf-`, and removes them. What
# it prints has no times and no numbers of links in it, so that two outputs can be compared.
set -u
PEER_DIALECT=${PEER_DIALECT:-$DIALECT}
dir=$(mktemp -d)
here=$(cd "$(dirname "$0")" && pwd)
names="r red blue out"

ns() { n=$1; shift; ip netns exec "vrf-$n" "$@"; }
end() {
    for n in $names; do
        for p in $(ip netns pids "vrf-$n" 2>/dev/null); do kill "$p"; done
        ip netns del "vrf-$n" 2>/dev/null
    done
    rm -rf "$dir"
}
trap end EXIT

# The router `r`, and behind each of its links a neighbour of the same addresses.
for n in $names; do
    ip netns add "vrf-$n"
    ns "$n" ip link set lo up
    ns "$n" sh -c 'for i in all default; do echo 0 > /proc/sys/net/ipv6/conf/$i/accept_dad; done'
done
device() { ns r ip link add "$1" type vrf table "$2" && ns r ip link set "$1" up && ns r ip addr add "10.255.0.$2/32" dev "$1"; }
wire() {
    ip link add "l$1" netns vrf-r type veth peer name eth0 netns "vrf-$1"
    ns "$1" ip addr add 10.0.0.2/24 dev eth0
    ns "$1" ip addr add fd00::2/64 dev eth0 nodad
    ns "$1" ip link set eth0 up
}
# A link loses its IPv6 addresses when it gets another master.
address() {
    ns r ip link set "l$1" up
    ns r ip addr replace 10.0.0.1/24 dev "l$1"
    ns r ip addr replace fd00::1/64 dev "l$1" nodad
}
wire red; wire blue; wire out
device red 10
ns r ip link set lred master red
address red; address out

number=0
for n in red blue out; do
    number=$((number + 1))
    sed -e "s/NUMBER/$number/g" "$here/peer-$PEER_DIALECT.conf" > "$dir/$n.conf"
    ns "$n" $PEER -c "$dir/$n.conf" -s "$dir/$n.ctl" > "$dir/$n.log" 2>&1 &
done
cp "$here/router-$DIALECT.conf" "$dir/r.conf"
ns r $DAEMON -c "$dir/r.conf" -s "$dir/r.ctl" > "$dir/r.log" 2>&1 &

plain() {
    sed -E -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2} //g' -e 's/[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?/TIME/g' \
        -e 's/index=[0-9]+/index=N/' -e 's/(timer: +)[0-9.]+/\1N/' -e 's/^(BIRD|rbird) .* ready\.$//' -e 's/ +$//' \
        -e "s#$dir#DIR#g" -e 's/[0-9]+\.[0-9]+(\/[0-9]+)$/N\1/'
}
say() { echo; echo "## $*"; }
ask() { echo "# $*"; ns r $CLIENT -s "$dir/r.ctl" "$@" 2>&1 | plain; }
kernel() { echo "# ip $*"; ns r ip "$@" 2>&1 | plain; }
sockets() { echo "# sockets"; ns r ss -Hltun 2>/dev/null | awk '{print $1, $5}' | sort; }
# Waits until the session is established, or does not become so.
await() {
    for i in $(seq 150); do
        ns r $CLIENT -s "$dir/r.ctl" show protocols 2>/dev/null | grep -Eq "^$1 .*Established" && return
        sleep 0.2
    done
    echo "$1: not established"
}
await_bfd() {
    for i in $(seq 100); do
        [ "$(ns r $CLIENT -s "$dir/r.ctl" show bfd sessions "$1" 2>/dev/null | grep -c ' Up ')" -ge "$2" ] && return
        sleep 0.2
    done
    echo "$1: no $2 sessions of BFD"
}
states() { ask show protocols | awk '{ if (NF > 4) print $1, $2, $4, $6, $7, $8, $9, $10, $11; else print }'; }

say one VRF, and another one whose device is missing
await red; await plain
states
ask show interfaces
for p in red plain blue dred kred sred; do ask show protocols all $p; done
for t in tred tblue; do ask show route table $t; done
ask show route
kernel -4 route show vrf red proto bird
kernel -4 route show proto bird
sockets

say BFD
await_bfd bred 1
ask show bfd sessions bred
ask show bfd sessions bplain

say the other device comes
ns r ip link set lblue down
device blue 20
ns r ip link set lblue master blue
address blue
await blue || true
states
echo "# and is told to begin"
ask restart blue
await blue
states
ask show protocols all blue
for t in tred tblue; do ask show route all table $t; done
kernel -4 route show vrf red proto bird
kernel -4 route show vrf blue proto bird
kernel -4 route show proto bird
sockets
await_bfd bblue 1
ask show bfd sessions bblue

say a link changes its VRF, and changes back
ns r ip link set lblue nomaster
ns r ip addr replace 10.0.0.1/24 dev lblue
sleep 3
ask show route table tblue
ask show route protocol dplain
ns r ip link set lblue master blue
address blue
await blue
ask show route table tblue
kernel -4 route show vrf blue proto bird

say the device goes, and comes again
ns r ip link del red
sleep 3
ask show route table tred
ask show protocols all dred
device red 10
ns r ip link set lred master red
address red
await red
[ "$DIALECT" = 2 ] && await red6
states
ask show route table tred
kernel -4 route show vrf red proto bird

say a reload takes one protocol into another VRF
sed -i -e '/^protocol static sred/,/^}/s/vrf "red"/vrf "blue"/' "$dir/r.conf"
ask configure
sleep 2
ask show protocols all sred
ask show route protocol sred
say the log
sed -E -n -e 's/^.*<(ERR|WARN|BUG|AUTH)>/\1/p' -e '/ (ERROR|WARN) /s/^[^ ]+ +//p' "$dir/r.log" | plain | sort | uniq -c | sed -E 's/^ +[0-9]+ //'
[ -n "${LOG:-}" ] && cat "$dir/r.log"
exit 0
