# One image for up, web and worker. compose.yaml runs it with PostgreSQL and Valkey; alone it runs `up`.
# The root file system may be read-only: only /data and /tmp are written to.

FROM python:3.11-slim-trixie AS base

FROM base AS builder
# Here is where it will stand: the scripts of a virtual environment name its folder.
ENV VIRTUAL_ENV=/opt/asana-sync UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy
WORKDIR /build
COPY .ci/uv.txt .ci/hatchling.txt requirements.txt ./
RUN pip install --quiet --root-user-action=ignore --require-hashes -r uv.txt -r hatchling.txt \
    && python -m venv --without-pip "$VIRTUAL_ENV" \
    && uv pip sync --quiet --require-hashes --compile-bytecode requirements.txt
# The project comes last and without a network, so that a change of code fetches nothing.
COPY pyproject.toml README.md ./
COPY connectors connectors
COPY migrations migrations
COPY sync sync
RUN hatchling build --target wheel \
    && uv pip install --quiet --offline --no-deps --compile-bytecode dist/*.whl

FROM base
LABEL org.opencontainers.image.title="asana-sync" \
      org.opencontainers.image.description="Self-hosted two-way sync between Asana and the tools around it" \
      org.opencontainers.image.licenses="MIT"
# Numbers of its own: they mean the same in every image, so a volume keeps its owner.
RUN groupadd --gid 10001 asana-sync \
    && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin asana-sync \
    && install --directory --owner 10001 --group 10001 --mode 0700 /data
COPY --from=builder /opt/asana-sync /opt/asana-sync
ENV PATH=/opt/asana-sync/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ASANA_SYNC_DATA_DIR=/data \
    ASANA_SYNC_HOST=0.0.0.0 \
    ASANA_SYNC_PORT=8000 \
    ASANA_SYNC_SECRETS_DIR=/run/secrets
VOLUME ["/data"]
WORKDIR /data
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# For up and web; a worker answers no calls. An empty ProxyHandler: this call never goes through a proxy.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-I", "-S", "-c", "import os; from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:' + os.environ['ASANA_SYNC_PORT'] + '/livez', timeout=4)"]
ENTRYPOINT ["asana-sync"]
CMD ["up"]
