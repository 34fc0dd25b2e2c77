# docker build -t counterweight . && docker run --rm -v "$PWD:/data" counterweight run mine
FROM rust:1.95-slim-bookworm AS build
COPY . /clone
WORKDIR /clone
RUN cargo build --release --locked && strip target/release/counterweight

FROM debian:bookworm-slim
COPY --from=build /clone/target/release/counterweight /usr/local/bin/counterweight
WORKDIR /data
ENTRYPOINT ["counterweight"]
