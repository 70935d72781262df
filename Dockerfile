# A small image whose entry point is rbird. Build from the top of the tree:
#
#   docker build -t rbird .
#
# The base can be replaced where Docker Hub is not reached (an image imported
# from debootstrap), and binaries built outside can be used instead of a build
# inside: docker build --build-arg BASE=my-debian --target prebuilt -t rbird .
# The stages are in this order so that a builder that builds all stages up to
# the target (Docker without BuildKit) does not ask for the Rust image then.
ARG BASE=debian:12-slim
ARG RUST=rust:1-bookworm

# Both names of each program: rbird's own, and those that scripts know. `ip` is
# there for whoever sets up or looks at the router.
FROM ${BASE} AS base
RUN command -v ip >/dev/null \
 || { apt-get update && apt-get install -y --no-install-recommends iproute2 && rm -rf /var/lib/apt/lists/*; }
RUN for d in rbird bird bird6; do ln -sf rbird.bin /usr/sbin/$d; done \
 && for c in rbirdc birdc birdcl birdc6 birdcl6; do ln -sf rbirdc.bin /usr/sbin/$c; done \
 && mkdir -p /etc/bird /run/bird
COPY config/bird.conf /usr/share/doc/rbird/bird.conf
HEALTHCHECK --interval=10s --timeout=3s CMD ["/usr/sbin/rbirdc", "show", "status"]
ENTRYPOINT ["/usr/sbin/rbird"]
CMD ["-d"]

FROM base AS prebuilt
COPY target/release/rbird /usr/sbin/rbird.bin
COPY target/release/rbirdc /usr/sbin/rbirdc.bin

FROM ${RUST} AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package rbird-daemon --package rbird-client \
 && mkdir -p /out && cp target/release/rbird target/release/rbirdc /out/

FROM base
COPY --from=build /out/rbird /usr/sbin/rbird.bin
COPY --from=build /out/rbirdc /usr/sbin/rbirdc.bin
