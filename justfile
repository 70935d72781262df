# One-line aliases; the work is done by `cargo xtask`.

# The lab: two Calico-like nodes, two routers, pods that reach each other.
lab *ARGS:
    cargo xtask lab {{ARGS}}

# Everything that CI runs.
test *ARGS:
    cargo xtask test {{ARGS}}

# Measure against the daemons of the field.
bench *ARGS:
    cargo xtask bench {{ARGS}}

# Format the tree.
fmt:
    cargo fmt --all
