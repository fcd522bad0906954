# The gateway on Debian 12: built in one stage, run in another without compilers.
FROM debian:bookworm-slim AS build
COPY scripts/deps /src/scripts/deps
RUN /src/scripts/deps
COPY . /src
WORKDIR /src
RUN cmake --preset release -DBUILD_TESTING=OFF && cmake --build --preset release

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends libwebsockets17 libwebsockets-evlib-uv libuv1 libjansson4 \
      libpq5 libzstd1 zlib1g libpcre2-8-0 libsodium23 libcurl4 libyaml-0-2 ca-certificates curl git \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/build/release/bin/ /usr/local/bin/
VOLUME /var/lib/tailgate
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s CMD curl -fsS http://127.0.0.1:8080/readyz
ENTRYPOINT ["tailgated", "--state-dir", "/var/lib/tailgate"]
CMD ["--dev", "--listen", "0.0.0.0:8080", "--insecure-http"]
