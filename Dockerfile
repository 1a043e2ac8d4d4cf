# The images `gateway` and `executor`.
#
# `docker build --target gateway .` compiles in a container. With `--build-arg BUILDER=prebuilt` the programs
# are taken from `dist/`, where `cargo xtask images --prebuilt` puts them.
ARG BUILDER=build

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package flowgate --package search \
    && install -D -t /out target/release/flowgate target/release/search

FROM scratch AS prebuilt
COPY dist/ /out/

FROM ${BUILDER} AS artifacts

# Debian has the shell and the `sleep` that manifests exported by Jina use.
FROM debian:bookworm-slim AS base
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent flowgate \
    && install -d -o flowgate -g flowgate /workspace

# The gateway, heads, and executors that hand documents through: whatever a manifest runs as `jina …`.
FROM base AS gateway
COPY --from=artifacts /out/flowgate /usr/local/bin/flowgate
RUN ln -s flowgate /usr/local/bin/jina
USER 10001:10001
WORKDIR /workspace
ENTRYPOINT ["jina"]
CMD ["gateway"]

# The executors of `examples/search`. For executors of your own, put your program in the place of theirs.
FROM base AS executor
COPY --from=artifacts /out/search /usr/local/bin/search
RUN ln -s search /usr/local/bin/jina
USER 10001:10001
WORKDIR /workspace
VOLUME /workspace
ENTRYPOINT ["jina"]
CMD ["executor"]
