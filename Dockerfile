# The service alone: one static binary, certificates to trust, no shell, no simulator, no secret. Settings come from the environment, secrets
# from NAME_FILE (README). scripts/static.sh tests the same binary where no image can be built.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /out/paylink ./cmd/paylink && mkdir /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/paylink /paylink
# Only for sqlite:/data/…; with Postgres the root file system can be read-only.
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV PAYLINK_ADDR=0.0.0.0:8080
EXPOSE 8080
# The image has no curl: the service asks itself, over the address that it listens on.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["/paylink", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/paylink"]
CMD ["serve"]
