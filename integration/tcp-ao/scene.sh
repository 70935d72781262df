#!/bin/sh
# scene.sh RBIRD RBIRDC [BIRD BIRDC]: sessions signed with TCP-AO (RFC 5925), between two of ours, and between ours and
# BIRD's (2.17 or later) when that is named. Needs root, iproute2, tcpdump, and a kernel with CONFIG_TCP_AO. Makes two
# network namespaces of its own and removes them. One line for each thing that was seen, `ok` or `FAILED`; the exit
# status is the number of the latter.
set -u
rbird=$1 rbirdc=$2 bird=${3:-} birdc=${4:-}
work=$(mktemp -d /tmp/tcp-ao.XXXXXX)
failed=0
pids=

end() {
    [ -n "$pids" ] && kill $pids 2>/dev/null
    for side in a b; do ip netns del "tcp-ao-$side" 2>/dev/null; done
    rm -rf "$work"
}
trap end EXIT

ok() { echo "ok: $*"; }
no() {
    echo "FAILED: $*"
    failed=$((failed + 1))
    for side in a b; do
        tail -n 12 "$work/$side.log" 2>/dev/null | sed "s/^/    $side: /"
        say $side show protocols all p 2>/dev/null | grep -E "BGP state|Last error|key:|packets:" | sed "s/^/    $side: /"
    done
}

# conf SIDE AUTHENTICATION: the file of one side.
conf() {
    case $1 in
        a) ours=$net.1 theirs=$net.2 as=65001 peer_as=65002 id=10.0.0.1 ;;
        b) ours=$net.2 theirs=$net.1 as=65002 peer_as=65001 id=10.0.0.2 ;;
    esac
    cat > "$work/$1.conf" <<END
router id $id;
log "$work/$1.log" all;
ipv4 table t4;
protocol device { }
protocol bgp p {
  local $(addr "$ours") as $as; neighbor $(addr "$theirs") as $peer_as;
  connect delay time 1; connect retry time 3; error wait time 1, 2; hold time 30; debug { states, events };
  $2
  ipv4 { table t4; import all; export all; extended next hop; };
}
END
}

# addr 10.77.0.1 and the like, or its place in fd77::/64
addr() {
    case $family in
        4) echo "$1" ;;
        6) echo "fd77::${1##*.}" ;;
    esac
}

net=10.77.0 family=4

say() {
    side=$1
    shift
    eval "control=\$control_$side"
    $control -s "$work/$side.ctl" "$@"
}

# start SIDE PROGRAM CONTROL
start() {
    rm -f "$work/$1.log" "$work/$1.ctl"
    eval "control_$1=$3"
    ip netns exec "tcp-ao-$1" "$2" -f -c "$work/$1.conf" -s "$work/$1.ctl" > "$work/$1.out" 2>&1 &
    pids="$pids $!"
}

stop() {
    [ -n "$pids" ] && kill $pids 2>/dev/null && wait $pids 2>/dev/null
    pids=
}

# until_shown SECONDS SIDE PATTERN: waits until `show protocols all` has a line like that.
until_shown() {
    tries=$(($1 * 5))
    while [ $tries -gt 0 ]; do
        say "$2" show protocols all p 2>/dev/null | grep -qE "$3" && return 0
        tries=$((tries - 1))
        sleep 0.2
    done
    return 1
}

both_shown() { until_shown "$1" a "$2" && until_shown "$1" b "$2"; }
# sessions: how many there were, on both sides together
sessions() { cat "$work/a.log" "$work/b.log" | grep -c "p: BGP session established"; }
number() { say "$1" show protocols all p | awk -v label="$2:" '$1 " " $2 == label { print $3 }'; }
counter() { ip netns exec "tcp-ao-$1" nstat -asz "$2" 2>/dev/null | awk -v name="$2" '$1 == name { print $2 }'; }
key() { echo "key { id $1; secret \"$2\"; ${3:-} };"; }
ao() { echo "authentication ao; keys { $* };"; }

# pair PROGRAM CONTROL PROGRAM CONTROL, with the files as they are
pair() {
    stop
    start a "$1" "$2"
    start b "$3" "$4"
}

algorithms() {
    who=$1
    shift
    for algorithm in "hmac md5" "hmac sha1" "hmac sha256" "hmac sha384" "hmac sha512" "cmac aes128" $extra; do
        algorithm=$(echo "$algorithm" | tr _ ' ')
        keys=$(ao "$(key 7 "of no fixed length" "algorithm $algorithm;")")
        conf a "$keys"
        conf b "$keys"
        pair "$@"
        if both_shown 20 "BGP state: +Established" && both_shown 5 "RNext key: +7"; then
            ok "$who, $algorithm: established, good $(number a "Good packets"), bad $(number a "Bad packets")"
        else
            no "$who, $algorithm"
        fi
    done
}

on_the_wire() {
    who=$1
    shift
    keys=$(ao "key { send id 5; recv id 6; secret hex:00:01:02:03; };")
    other=$(ao "key { send id 6; recv id 5; secret hex:00:01:02:03; };")
    conf a "$keys"
    conf b "$other"
    stop
    sleep 1
    ip netns exec tcp-ao-b timeout 20 tcpdump -i veth -c 8 -n -v tcp port 179 > "$work/wire" 2>/dev/null &
    tcpdump=$!
    pair "$@"
    both_shown 20 "BGP state: +Established" || no "$who: different identifiers for each way"
    wait $tcpdump
    seen=$(grep -oE "tcp-ao keyid [56] rnextkeyid [56]" "$work/wire" | sort | uniq -c | sed 's/ */ /' | tr '\n' ';')
    unsigned=$(grep -E " > .*: Flags \[" "$work/wire" | grep -vcE "tcp-ao keyid")
    if [ -n "$seen" ] && [ "$unsigned" = 0 ]; then ok "$who, on the wire:$seen none unsigned"; else
        no "$who, on the wire: $seen $unsigned unsigned"
        head -4 "$work/wire"
    fi
}

wrong_key() {
    who=$1
    shift
    conf a "$(ao "$(key 1 right)")"
    conf b "$(ao "$(key 1 wrong)")"
    before=$(($(counter a TcpExtTCPAOBad) + $(counter b TcpExtTCPAOBad)))
    pair "$@"
    sleep 6
    bad=$(($(counter a TcpExtTCPAOBad) + $(counter b TcpExtTCPAOBad) - before))
    if [ $bad -gt 0 ] && ! until_shown 1 a "BGP state: +Established"; then
        ok "$who, wrong secret: no session, $bad segments dropped; state $(say a show protocols p | awk '$1 == "p" { print $4, $6 }')"
    else
        no "$who, wrong secret"
    fi
}

reload() {
    conf "$1" "$2"
    say "$1" configure > "$work/reply" 2>&1
    grep -q Reconfigur "$work/reply" || no "configure: $(cat "$work/reply")"
}

rollover() {
    who=$1
    shift
    old=$(key 1 one) new=$(key 2 two "algorithm cmac aes128;") best=$(key 2 two "algorithm cmac aes128; preferred;")
    conf a "$(ao "$old")"
    conf b "$(ao "$old")"
    pair "$@"
    if ! both_shown 20 "BGP state: +Established"; then
        no "$who, rollover: no session to begin with"
        return
    fi
    began=$(sessions)
    for side in a b; do reload $side "$(ao "$old $new")"; done
    for side in a b; do reload $side "$(ao "$old $best")"; done
    if both_shown 20 "Current key: +2" && both_shown 20 "RNext key: +2"; then ok "$who, rollover: key 2 on both sides"; else
        no "$who, rollover: key 2"
    fi
    for side in a b; do reload $side "$(ao "$best")"; done
    sleep 12
    if [ "$began" = "$(sessions)" ] && both_shown 1 "BGP state: +Established"; then
        ok "$who, rollover: key 1 is gone, the session stays, good $(number a "Good packets")"
    else
        no "$who, rollover: the session went"
    fi
    for side in a b; do reload $side "$(ao "$best $(key 3 three)")"; done
    for side in a b; do reload $side "$(ao "$(key 3 three)")"; done
    sleep 2
    if both_shown 20 "Current key: +3" && [ "$began" = "$(sessions)" ]; then
        ok "$who, a key in use is taken away: $(grep -h "Deleting TCP-AO [CR]" "$work/a.log" | sed 's/.*<WARN> //' | tr '\n' ';')"
    else
        no "$who, a key in use is taken away"
    fi
    reload a "$(ao "$(key 4 four)")"
    reload b "$(ao "$(key 4 four)")"
    if both_shown 40 "Current key: +4"; then ok "$who, other keys altogether: a new session with key 4"; else
        no "$who, other keys altogether"
    fi
}

md5() {
    who=$1
    shift
    conf a 'authentication md5; password "secret";'
    conf b 'authentication md5; password "secret";'
    pair "$@"
    if both_shown 20 "BGP state: +Established"; then ok "$who, md5: established"; else no "$who, md5"; fi
    conf b "$(ao "$(key 1 secret)")"
    pair "$@"
    sleep 5
    if until_shown 1 a "BGP state: +Established"; then no "$who, md5 towards ao: established"; else
        ok "$who, md5 towards ao: no session"
    fi
}

all() {
    algorithms "$@"
    on_the_wire "$@"
    wrong_key "$@"
    rollover "$@"
    md5 "$@"
    family=6
    on_the_wire "$1, IPv6" "$2" "$3" "$4" "$5"
    family=4
}

for side in a b; do
    ip netns add "tcp-ao-$side" || exit 1
    ip netns exec "tcp-ao-$side" ip link set lo up
done
ip -n tcp-ao-a link add veth type veth peer name veth netns tcp-ao-b
n=1
for side in a b; do
    ip -n "tcp-ao-$side" addr add "$net.$n/24" dev veth
    ip -n "tcp-ao-$side" addr add "fd77::$n/64" dev veth nodad
    ip -n "tcp-ao-$side" link set veth up
    n=$((n + 1))
done

# BIRD's manual has hmac sha224; its grammar has not.
extra=hmac_sha224
all "rbird and rbird" "$rbird" "$rbirdc" "$rbird" "$rbirdc"
extra=
if [ -n "$bird" ]; then
    all "rbird and BIRD" "$rbird" "$rbirdc" "$bird" "$birdc"
    rollover "BIRD and rbird" "$bird" "$birdc" "$rbird" "$rbirdc"
fi
stop
exit $failed
