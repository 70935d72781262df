#!/bin/sh
# The article's lab (docs/lab.md) under Calico's own control plane, without Kubernetes:
# etcd holds the resources, calicoctl applies them, confd renders them on each node and
# tells rbird by SIGHUP. docs/calico.md says what is needed and what is to be seen.
#
#   control-plane.sh CONFD TOOLS RBIRD
#
# CONFD: Calico's conf.d and templates, as its node image has them in /etc/calico/confd.
# TOOLS: where calicoctl and confd are. RBIRD: where rbird and rbirdc are.
#
# Everything runs in network namespaces that are made here, and is gone at the end.
set -eu

if [ $# != 3 ]; then
    echo "usage: $0 CONFD TOOLS RBIRD" >&2
    exit 2
fi
confd=$(cd "$1" && pwd) tools=$(cd "$2" && pwd) rbird=$(cd "$3" && pwd)
top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
machines='router1 router2 kubeadm1 kubeadm2'
mkdir -p /etc/calico /etc/bird /var/run/calico

finish() {
    status=$?
    trap - EXIT
    for name in $machines; do
        for pid in $(ip netns pids "rbcp-$name" 2>/dev/null); do kill -9 "$pid" 2>/dev/null || true; done
        ip netns del "rbcp-$name" 2>/dev/null || true
    done
    wait
    rmdir /etc/calico /etc/bird /var/run/calico 2>/dev/null || true
    rm -rf "$dir"
    exit $status
}
trap finish EXIT
trap 'exit 1' INT TERM

say() {
    printf '\n== %s\n' "$*"
}

on() {
    name=$1
    shift
    ip netns exec "rbcp-$name" "$@"
}

# Asks twice a second for a minute.
wait_for() {
    what=$1
    shift
    tries=120
    until "$@" >"$dir/last" 2>&1; do
        tries=$((tries - 1))
        if [ $tries = 0 ]; then
            echo "after a minute: not $what; last seen:" >&2
            cat "$dir/last" >&2
            tail -n 20 "$dir"/*.log "$dir"/*/*.log >&2 || true
            exit 1
        fi
        sleep 0.5
    done
}

# --- machines and links, as in integration/lab/lab.clab.yml -----------------------------------

link() { # machine interface address machine interface address
    ip link add "$2" netns "rbcp-$1" type veth peer name "$5" netns "rbcp-$4"
    for end in "$1 $2 $3" "$4 $5 $6"; do
        # shellcheck disable=SC2086 # three words
        set -- $end
        ip -n "rbcp-$1" addr add "$3" dev "$2"
        ip -n "rbcp-$1" link set "$2" up
    done
}

for name in $machines; do
    ip netns add "rbcp-$name"
    ip -n "rbcp-$name" link set lo up
    on "$name" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
    mkdir -p "$dir/$name"
done
link router1 ens37 192.168.16.1/24 kubeadm1 ens33 192.168.16.101/24
link router1 ens38 192.168.18.1/24 router2 ens33 192.168.18.2/24
link router2 ens37 192.168.17.1/24 kubeadm2 ens33 192.168.17.101/24
ip -n rbcp-router1 addr add 10.0.0.1/32 dev lo
ip -n rbcp-router2 addr add 10.0.0.2/32 dev lo
ip -n rbcp-kubeadm1 route add default via 192.168.16.1
ip -n rbcp-kubeadm2 route add default via 192.168.17.1

# --- the routers, with the configurations of config/ ------------------------------------------

for name in router1 router2; do
    on "$name" "$rbird/rbird" -d -c "$top/config/$name.conf" -s "$dir/$name/bird.ctl" >"$dir/$name/bird.log" 2>&1 &
done

ask() { # machine words
    name=$1
    shift
    "$rbird/rbirdc" -s "$dir/$name/bird.ctl" "$@"
}

# --- Calico's store, where both nodes reach it ------------------------------------------------

export ETCD_ENDPOINTS=http://10.0.0.1:2379 DATASTORE_TYPE=etcdv3 ETCDCTL_API=3
on router1 etcd --data-dir "$dir/etcd" --listen-client-urls $ETCD_ENDPOINTS \
    --advertise-client-urls $ETCD_ENDPOINTS --listen-peer-urls http://127.0.0.1:2380 >"$dir/etcd.log" 2>&1 &

calicoctl() {
    on router1 "$tools/calicoctl" --allow-version-mismatch "$@"
}

cat >"$dir/cluster.yaml" <<'YAML'
apiVersion: projectcalico.org/v3
kind: Node
metadata: {name: kubeadm1}
spec: {bgp: {ipv4Address: 192.168.16.101/24}}
---
apiVersion: projectcalico.org/v3
kind: Node
metadata: {name: kubeadm2}
spec: {bgp: {ipv4Address: 192.168.17.101/24}}
---
apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: pods}
spec: {cidr: 10.245.0.0/24, blockSize: 26, ipipMode: Never, vxlanMode: Never}
---
apiVersion: projectcalico.org/v3
kind: BGPConfiguration
metadata: {name: default}
spec:
  asNumber: 64512
  nodeToNodeMeshEnabled: true
  serviceClusterIPs: [{cidr: 10.96.0.0/16}]
YAML
wait_for "a store that takes resources" calicoctl apply -f "$dir/cluster.yaml"
# What Calico's IPAM notes when the first pod of a node gets its address.
for block in kubeadm1/ipv4/block/10.245.0.64-26 kubeadm2/ipv4/block/10.245.0.192-26; do
    on router1 etcdctl --endpoints "$ETCD_ENDPOINTS" put "/calico/ipam/v2/host/$block" '{"state":"confirmed"}' >"$dir/last"
done

# --- the nodes: programs and paths as in Calico's image ---------------------------------------

mkdir "$dir/bin"
ln -s "$rbird/rbird" "$dir/bin/bird"
ln -s "$rbird/rbird" "$dir/bin/bird6"
ln -s "$rbird/rbirdc" "$dir/bin/birdcl"
ln -s "$(command -v sleep)" "$dir/bin/calico-felix" # `calicoctl node status` looks for a process of this name
cat >"$dir/bin/sv" <<'SV'
#!/bin/sh
# `sv hup bird`, as confd calls it.
echo "$2" >>/var/run/calico/hangups
exec kill -HUP "$(cat "/var/run/calico/$2.pid")"
SV
chmod +x "$dir/bin/sv"

# `ip netns exec` gives a process a view of the mounts of its own; so each node has its own /etc/calico.
# What ends is started again, as runit does in the image; confd ends when the mesh is switched on or off.
cat >"$dir/node" <<NODE
#!/bin/sh
here=\$1
export NODENAME=\${here##*/} PATH="$dir/bin:$PATH"
mount --bind "\$here/etc" /etc/calico
mount --bind "\$here/run" /var/run/calico
mount --bind "\$here/settings" /etc/bird
echo 'version = "v0.3.3+birdv1.6.8"' >/etc/bird/rbird.toml
calico-felix infinity &
"$tools/confd" -confdir /etc/calico/confd -onetime >"\$here/confd.log" 2>&1
for bird in bird bird6; do
    while :; do
        \$bird -R -s /var/run/calico/\$bird.ctl -d -c /etc/calico/confd/config/\$bird.cfg >>"\$here/\$bird.log" 2>&1 &
        echo \$! >/var/run/calico/\$bird.pid
        wait \$!
        sleep 0.2
    done &
done
while :; do
    "$tools/confd" -confdir /etc/calico/confd >>"\$here/confd.log" 2>&1
    sleep 1
done
NODE
chmod +x "$dir/node"

for name in kubeadm1 kubeadm2; do
    mkdir -p "$dir/$name/run/endpoint-status" "$dir/$name/settings" "$dir/$name/etc/confd/config"
    cp -rL "$confd/conf.d" "$confd/templates" "$dir/$name/etc/confd/"
    ip -n "rbcp-$name" link add tunl0 type vxlan id 4 dstport 4789 dev ens33 # in the place of an IPIP tunnel
    ip -n "rbcp-$name" link set tunl0 up
    ip netns exec "rbcp-$name" "$dir/node" "$dir/$name" &
    eval "$name=$!"
done

inside() { # node command: with the node's own mounts
    eval "pid=\$$1"
    shift
    # shellcheck disable=SC2154 # set by eval
    nsenter -t "$pid" -m -n env PATH="$dir/bin:$PATH" "$@"
}

status() {
    inside "$1" "$tools/calicoctl" --allow-version-mismatch node status
}

# A row of `calicoctl node status`: node, peer, type.
established() {
    status "$1" | tee "$dir/status" | grep "| $2 .*| $3 .*| Established " || { cat "$dir/status"; return 1; }
}

no_mesh() {
    ! status "$1" | grep node-to-node
}

route() { # machine, and what `ip route` says, blanks as they come
    name=$1
    shift
    ip -n "rbcp-$name" route | tee "$dir/routes" | tr -s ' ' | grep -x "$* *" || { cat "$dir/routes"; return 1; }
}

hangups() {
    wc -l <"$dir/$1/run/hangups" 2>/dev/null || echo 0
}

reloads() {
    grep -c 'bird: Reconfigured$' "$dir/$1/bird.log" || true
}

say "the mesh, as Calico has it by default"
wait_for "the session of the mesh" established kubeadm1 192.168.17.101 'node-to-node mesh'
wait_for "the session of the mesh" established kubeadm2 192.168.16.101 'node-to-node mesh'
wait_for "the other node's block" route kubeadm1 10.245.0.192/26 via 192.168.16.1 dev ens33 proto bird metric 1024
status kubeadm1
ip -n rbcp-kubeadm1 route

say "pods behind tunnels: krt_tunnel"
calicoctl patch ippool pods -p '{"spec": {"ipipMode": "Always"}}'
calicoctl patch bgpconfiguration default -p '{"spec": {"programClusterRoutes": "Enabled"}}'
wait_for "the block through the tunnel" \
    route kubeadm1 10.245.0.192/26 via 192.168.17.101 dev tunl0 proto bird metric 1024 onlink
grep -h tunl0 "$dir/kubeadm1/etc/confd/config/bird_ipam.cfg"
ip -n rbcp-kubeadm1 route show 10.245.0.192/26
calicoctl patch ippool pods -p '{"spec": {"ipipMode": "Never"}}'
wait_for "the block without tunnel" route kubeadm1 10.245.0.192/26 via 192.168.16.1 dev ens33 proto bird metric 1024

say "the article's resources: no mesh, each node with the router in front of it"
cat >"$dir/article.yaml" <<'YAML'
apiVersion: projectcalico.org/v3
kind: BGPConfiguration
metadata: {name: default}
spec: {asNumber: 64512, nodeToNodeMeshEnabled: false, logSeverityScreen: Info}
---
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: kubeadm1-router1}
spec: {node: kubeadm1, peerIP: 10.0.0.1, asNumber: 64513}
---
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: kubeadm2-router2}
spec: {node: kubeadm2, peerIP: 10.0.0.2, asNumber: 64513}
YAML
calicoctl apply -f "$dir/article.yaml"
wait_for "the session with router1" established kubeadm1 10.0.0.1 'node specific'
wait_for "the session with router2" established kubeadm2 10.0.0.2 'node specific'
wait_for "the end of the mesh" no_mesh kubeadm1
wait_for "the block of kubeadm1 on router2" route router2 10.245.0.64/26 via 192.168.18.1 dev ens33 proto bird
wait_for "the block of kubeadm2 on router1" route router1 10.245.0.192/26 via 192.168.18.2 dev ens38 proto bird
for name in kubeadm1 kubeadm2; do
    status $name
done
ask router1 show protocols
ask router1 show route
ip -n rbcp-router1 route
inside kubeadm1 birdcl -s /var/run/calico/bird.ctl show status

say "a restart of a node's bird"
ip -n rbcp-kubeadm1 monitor route >"$dir/kubeadm1.monitor" 2>&1 &
kill -9 "$(cat "$dir/kubeadm1/run/bird.pid")"
wait_for "the session with router1 again" established kubeadm1 10.0.0.1 'node specific'
wait_for "the block on router1 again" route router1 10.245.0.64/26 via 192.168.16.101 dev ens37 proto bird
echo "what the kernel of kubeadm1 was told meanwhile: $(wc -l <"$dir/kubeadm1.monitor") lines"
cat "$dir/kubeadm1.monitor"

say "hangups and reloads"
for name in kubeadm1 kubeadm2; do
    echo "$name: $(hangups $name) hangups by confd, $(reloads $name) reloads"
done
