# Écluse in a container: docker build --tag ecluse .
#
# Its configuration is /etc/ecluse/ecluse.yaml; the one it comes with finds services by their labels. docs/docker.md says how to run it and
# what it needs of a Docker engine; examples/compose and examples/swarm run it beside an application.
#
# PACKAGES are further Debian packages: openssh-client, for a cluster's endpoint that is reached over ssh://.

FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install --no-install-recommends --yes gcc libc6-dev python3-dev python3-venv
RUN python3 -m venv /opt/ecluse
COPY . /src
# Fails where it was not compiled: setuptools takes that for no failure, and it would show only in the load that it carries.
# What only the installation needed is taken out, and the debugger's symbols are most of what is compiled.
RUN /opt/ecluse/bin/pip install --no-cache-dir /src \
    && cd / && /opt/ecluse/bin/ecluse version | grep 'hot path compiled, deciding compiled' \
    && /opt/ecluse/bin/pip uninstall --yes pip setuptools \
    && find /opt/ecluse -name '*.so' -exec strip --strip-unneeded {} +

FROM debian:bookworm-slim
ARG PACKAGES=""
RUN apt-get update \
    && apt-get install --no-install-recommends --yes python3 ${PACKAGES} \
    && rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/* \
    && useradd --uid 10001 --create-home ecluse \
    && mkdir /etc/ecluse && echo 'engine: docker' >/etc/ecluse/ecluse.yaml
COPY --from=build /opt/ecluse /opt/ecluse
ENV PATH=/opt/ecluse/bin:$PATH PYTHONUNBUFFERED=1
USER ecluse
WORKDIR /etc/ecluse
EXPOSE 8080
# Fails when nothing answers at the admin API. Slow answers are borne with: who restarts a proxy because its machine is busy makes it worse.
HEALTHCHECK --interval=5s --timeout=30s --retries=6 --start-period=60s \
    CMD ["python", "-c", "from sidecar.client import Client; Client().get('/healthz')"]
ENTRYPOINT ["ecluse"]
CMD ["run"]
