# secmigrate in a container:
#
#   docker build -t secmigrate .
#   docker run --rm -it --user "$(id -u):$(id -g)" -v "$PWD:/work" -v "$HOME/.aws:/aws/.aws:ro" secmigrate wizard
#
# Everything comes as wheels, in the versions of constraints.txt; no compiler is needed.

FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .
RUN sed -e '/--hash=/d' -e 's/ \\$//' constraints.txt > /wheels/pins.txt

FROM python:3.13-slim
RUN --mount=from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --only-binary :all: --constraint /wheels/pins.txt /wheels/*.whl
# Whoever runs it, `~/.aws` is looked for in /aws, and the workspace lies in /work.
RUN mkdir -m 0755 /aws
ENV HOME=/aws
USER nobody
WORKDIR /work
ENTRYPOINT ["secmigrate"]
CMD ["--help"]
