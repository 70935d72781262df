"""The general.yml of the two variants: what operators choose among, with all communities in all sorts."""

CONTROL = {
    "blackholing": ("65534:666", "rs_as:666:0", "rt:65534:666"),
    "do_not_announce_to_any": ("0:rs_as", "rs_as:0:0", "rt:0:rs_as"),
    "do_not_announce_to_peer": ("0:peer_as", "rs_as:0:peer_as", "rt:0:peer_as"),
    "announce_to_peer": ("rs_as:peer_as", "rs_as:1:peer_as", "rt:rs_as:peer_as"),
    "do_not_announce_to_peers_with_rtt_lower_than": ("64531:dyn_val", "rs_as:64531:dyn_val", "rt:64531:dyn_val"),
    "do_not_announce_to_peers_with_rtt_higher_than": ("64532:dyn_val", "rs_as:64532:dyn_val", "rt:64532:dyn_val"),
    "announce_to_peers_with_rtt_lower_than": ("64533:dyn_val", "rs_as:64533:dyn_val", "rt:64533:dyn_val"),
    "announce_to_peers_with_rtt_higher_than": ("64534:dyn_val", "rs_as:64534:dyn_val", "rt:64534:dyn_val"),
    "prepend_once_to_any": ("65501:rs_as", "rs_as:101:0", "rt:65501:rs_as"),
    "prepend_twice_to_any": ("65502:rs_as", "rs_as:102:0", "rt:65502:rs_as"),
    "prepend_thrice_to_any": ("65503:rs_as", "rs_as:103:0", "rt:65503:rs_as"),
    "prepend_once_to_peer": ("65511:peer_as", "rs_as:111:peer_as", "rt:65511:peer_as"),
    "prepend_twice_to_peer": ("65512:peer_as", "rs_as:112:peer_as", "rt:65512:peer_as"),
    "prepend_thrice_to_peer": ("65513:peer_as", "rs_as:113:peer_as", "rt:65513:peer_as"),
    "prepend_once_to_peers_with_rtt_higher_than": ("64538:dyn_val", "rs_as:64538:dyn_val", None),
    "prepend_twice_to_peers_with_rtt_lower_than": ("64536:dyn_val", "rs_as:64536:dyn_val", None),
    "add_noexport_to_any": ("65507:rs_as", "rs_as:107:0", "rt:65507:rs_as"),
    "add_noadvertise_to_any": ("65508:rs_as", "rs_as:108:0", None),
    "add_noexport_to_peer": ("65509:peer_as", "rs_as:109:peer_as", "rt:65509:peer_as"),
    "add_noadvertise_to_peer": ("65510:peer_as", "rs_as:110:peer_as", None),
}
TAGS = {
    "prefix_present_in_as_set": ("64512:11", "rs_as:64512:11", None),
    "prefix_not_present_in_as_set": ("64512:10", "rs_as:64512:10", "rt:64512:10"),
    "origin_present_in_as_set": ("64512:21", None, None),
    "origin_not_present_in_as_set": ("64512:20", "rs_as:64512:20", None),
    "prefix_validated_via_rpki_roas": ("64512:31", None, None),
    "route_validated_via_white_list": ("64512:41", "rs_as:64512:41", None),
    "rpki_bgp_origin_validation_not_performed": ("64512:50", None, None),
    "rpki_bgp_origin_validation_valid": ("64512:51", None, None),
    "rpki_bgp_origin_validation_unknown": ("64512:52", "rs_as:64512:52", None),
    "rpki_bgp_origin_validation_invalid": ("64512:53", None, None),
}
ASPA = {
    "rpki_aspa_verification_not_performed": ("64512:60", None, None),
    "rpki_aspa_verification_valid": ("64512:61", "rs_as:64512:61", None),
    "rpki_aspa_verification_unknown": ("64512:62", None, None),
    "rpki_aspa_verification_invalid": ("64512:63", "rs_as:64512:63", None),
}
REJECTED = {
    "reject_cause": ("65520:dyn_val", None, None),
    "rejected_route_announced_by": (None, "rs_as:65520:dyn_val", None),
}


def communities(which):
    text = ""
    for name, kinds in which.items():
        text += f"    {name}:\n"
        text += "".join(f'      {k}: "{v}"\n' for k, v in zip(("std", "lrg", "ext"), kinds) if v)
    return text


# Behind those of clients.yml: one with both families on a session over IPv6.
MORE_CLIENTS = """
  - asn: 196615
    ip: "2001:db8:1::55"
    cfg: {rfc8950: true, filtering: {irrdb: {as_sets: ["AS-WIDE"]}}}
"""


# Which releases have them.
ROLES = ("2.0.11", "2.14", "2.16", "2.19.2", "3.3.2")
ASPAS = ("2.16", "2.19.2", "3.3.2")


def general(variant, here, target):
    """The text of general.yml: `reject` drops what is wrong, `tag` keeps and marks it."""
    tag = variant == "tag"
    return f"""cfg:
  rs_as: 999
  router_id: "192.0.2.2"
  path_hiding: {not tag}
  passive: True
  filtering:
    next_hop: {{policy: "strict"}}
    ipv4_pref_len: {{min: 8, max: 24}}
    ipv6_pref_len: {{min: 12, max: 48}}
    global_black_list_pref:
      - {{prefix: "192.0.2.0", length: 24}}
      - {{prefix: "5.8.0.0", length: 16}}
      - {{prefix: "2001:db8:1::", length: 64}}
      - {{prefix: "2a00:8::", length: 32}}
    max_as_path_len: {6 if tag else 32}
    reject_invalid_as_in_as_path: True
    transit_free: {{action: "{'warning' if tag else 'reject'}", asns: "174, 701, 1299, 2914, 3356"}}
    never_via_route_servers: {{peering_db: False, asns: [6939]}}
    irrdb:
      enforce_origin_in_as_set: True
      enforce_prefix_in_as_set: True
      allow_longer_prefixes: {tag}
      tag_as_set: True
      peering_db: False
      use_rpki_roas_as_route_objects: {{enabled: {tag}}}
    roles: {{enabled: {target in ROLES}}}
    rpki_aspa_verification: {{enabled: {target in ASPAS}, reject_invalid: {not tag}}}
    rpki_bgp_origin_validation: {{enabled: True, reject_invalid: {not tag}}}
    max_prefix: {{action: "{'restart' if tag else 'warning'}", general_limit_ipv4: 500, general_limit_ipv6: 500, peering_db: {{enabled: False}}}}
    reject_policy: {{policy: "{'tag' if tag else 'reject'}"}}
  rpki_roas:
    source: "ripe-rpki-validator-cache"
    ripe_rpki_validator_url: ["{here}/roas.json"]
  rpki_aspas:
    source: "json"
    json_url: ["{here}/roas.json"]
  blackhole_filtering:
    policy_ipv4: "{'propagate-unchanged' if tag else 'rewrite-next-hop'}"
    policy_ipv6: "rewrite-next-hop"
    rewrite_next_hop_ipv4: "192.0.2.66"
    rewrite_next_hop_ipv6: "2001:db8:1::66"
    announce_to_client: True
    add_noexport: True
    client_community: {{peering_db: False, action: "add"}}
  graceful_shutdown: {{enabled: True, local_pref: 3}}
  rfc1997_wellknown_communities: {{policy: "{'pass' if tag else 'rfc1997'}"}}
  rtt_thresholds: 5, 10, 15, 20, 30, 50, 100, 200, 500
  communities:
{communities(CONTROL | TAGS | (ASPA if target in ASPAS else {}) | (REJECTED if tag else {}))}
  custom_communities:
    second_site:
      std: "65000:23"
      lrg: "rs_as:65000:23"
"""
