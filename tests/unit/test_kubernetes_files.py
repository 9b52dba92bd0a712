"""docker/kubernetes/ without a cluster: Kubernetes' own schemas, and that what the files name is there."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

DOCKER = Path(__file__).parents[2] / "docker"
FILES = sorted((DOCKER / "kubernetes").glob("*.yaml"))
VERSIONS = ("1.25", "1.37")  # the oldest and the newest that there are schemas of
NAMESPACE = "ringnode"  # as docs/deploy.md has it
Doc = dict[str, Any]


def documents() -> list[Doc]:
    return [doc for path in FILES for doc in yaml.safe_load_all(path.read_text("utf-8"))]


def of(docs: list[Doc], *kinds: str) -> list[Doc]:
    return [doc for doc in docs if doc["kind"] in kinds]


def workloads(docs: list[Doc]) -> list[Doc]:
    return of(docs, "Deployment", "StatefulSet")


def pod(workload: Doc) -> Any:
    return workload["spec"]["template"]["spec"]


def labels(workload: Doc) -> Any:
    return workload["spec"]["template"]["metadata"]["labels"]


def chosen(docs: list[Doc], selector: Doc) -> list[Doc]:
    return [workload for workload in workloads(docs) if selector.items() <= labels(workload).items()]


def ports(workload: Doc) -> set[Any]:
    """Names and numbers."""
    found = [port for container in pod(workload)["containers"] for port in container["ports"]]
    return {port["name"] for port in found} | {port["containerPort"] for port in found}


def wrong(docs: list[Doc]) -> list[str]:
    """Everything that is named and not there, in words."""
    return [*wrong_in_pods(docs), *wrong_selections(docs), *wrong_addresses(docs)]


def wrong_in_pods(docs: list[Doc]) -> Iterable[str]:
    folders = re.findall(
        r"^mkdir -p (.+)$", (DOCKER / "server" / "ringnode-secrets").read_text("utf-8"), re.MULTILINE
    )
    for workload in workloads(docs):
        name, spec = workload["metadata"]["name"], pod(workload)
        claims = [claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])]
        if not workload["spec"]["selector"]["matchLabels"].items() <= labels(workload).items():
            yield f"{name} does not select its own pods"
        for volume in spec["volumes"]:
            secret = volume.get("secret", {}).get("secretName")
            if secret and secret.removeprefix("ringnode-") not in folders[0].split():
                yield f"nothing makes the secret {secret}"
        for container in spec["containers"]:
            if container["image"].split(":")[0] != f"ringnode/{name}":
                yield f"{name} runs {container['image']}"
            for mount in container["volumeMounts"]:
                if mount["name"] not in [*claims, *(volume["name"] for volume in spec["volumes"])]:
                    yield f"{name} mounts {mount['name']}, which is nowhere"
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                yield from wrong_probe(name, container.get(probe, {}), ports(workload))


def wrong_probe(name: str, probe: Doc, known: set[Any]) -> Iterable[str]:
    for way in ("httpGet", "tcpSocket"):
        if way in probe and probe[way]["port"] not in known:
            yield f"{name} is probed at port {probe[way]['port']}"
    program = probe.get("exec", {}).get("command", [""])[0]
    if program and not (DOCKER / name / program).exists():
        yield f"{name} has no {program}"


def wrong_selections(docs: list[Doc]) -> Iterable[str]:
    selecting = [(doc, doc["spec"]["selector"]) for doc in of(docs, "Service")]
    selecting += [(doc, doc["spec"]["selector"]["matchLabels"]) for doc in of(docs, "PodDisruptionBudget")]
    for policy in of(docs, "NetworkPolicy"):
        selecting.append((policy, policy["spec"]["podSelector"]["matchLabels"]))
        for rule in policy["spec"]["ingress"]:
            selecting += [(policy, peer["podSelector"]["matchLabels"]) for peer in rule["from"]]
    for doc, selector in selecting:
        if len(chosen(docs, selector)) != 1:
            yield f"{doc['kind']} {doc['metadata']['name']} chooses {selector}"
    for service in of(docs, "Service"):
        known = {port for workload in chosen(docs, service["spec"]["selector"]) for port in ports(workload)}
        asked = [port.get("targetPort", port["port"]) for port in service["spec"]["ports"]]
        yield from (f"service {service['metadata']['name']} leads to {port}" for port in asked if port not in known)
    for policy in of(docs, "NetworkPolicy"):
        known = {port for to in chosen(docs, policy["spec"]["podSelector"]["matchLabels"]) for port in ports(to)}
        asked = [port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]]
        yield from (f"policy {policy['metadata']['name']} opens {port}" for port in asked if port not in known)


def wrong_addresses(docs: list[Doc]) -> Iterable[str]:
    """HOST:PORT in an environment: a service, or a pod of one."""
    services = {
        doc["metadata"]["name"]: {port["port"] for port in doc["spec"]["ports"]} for doc in of(docs, "Service")
    }
    headless = {doc["metadata"]["name"] for doc in of(docs, "Service") if doc["spec"].get("clusterIP") == "None"}
    for workload in workloads(docs):
        if workload["kind"] == "StatefulSet" and workload["spec"]["serviceName"] not in headless:
            yield f"{workload['spec']['serviceName']} gives pods no names"
        for container in pod(workload)["containers"]:
            for env in container["env"]:
                address = env.get("value", "").removeprefix("$(POD).")
                host = re.fullmatch(rf"([a-z]+)(?:\.{NAMESPACE}\.svc\.cluster\.local)?:(\d+)", address)
                if host and int(host[2]) not in services.get(host[1], ()):
                    yield f"{env['name']}={env['value']} leads nowhere"


@pytest.mark.parametrize("version", VERSIONS)
def test_they_are_what_kubernetes_takes(version: str) -> None:
    docs = documents()
    kinds = {"Service", "PodDisruptionBudget", "StatefulSet", "Deployment", "NetworkPolicy"}
    assert {doc["kind"] for doc in docs} == kinds
    for doc in docs:
        kubernetes_validate.validate(doc, version, strict=True)


def test_what_they_name_is_there() -> None:
    assert wrong(documents()) == []


def test_every_pod_is_shut_in() -> None:
    for workload in workloads(documents()):
        spec = pod(workload)
        assert spec["securityContext"]["runAsNonRoot"] and not spec["automountServiceAccountToken"]
        assert f"USER {spec['securityContext']['runAsUser']}:" in (
            DOCKER / workload["metadata"]["name"] / "Dockerfile"
        ).read_text("utf-8")
        for container in spec["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] and context["capabilities"] == {"drop": ["ALL"]}
            assert not context["allowPrivilegeEscalation"] and container["resources"]["limits"]["memory"]


def first(docs: list[Doc], kind: str) -> Any:
    return of(docs, kind)[0]["spec"]


def container(docs: list[Doc]) -> Any:
    return pod(of(docs, "StatefulSet")[0])["containers"][0]


PLANTED: dict[str, Callable[[list[Doc]], object]] = {
    "does not select": lambda docs: first(docs, "StatefulSet")["selector"]["matchLabels"].update(part="servers"),
    "leads to http": lambda docs: first(docs, "Service")["ports"][0].update(targetPort="http"),
    "chooses": lambda docs: first(docs, "PodDisruptionBudget")["selector"]["matchLabels"].update(part="servers"),
    "opens 7702": lambda docs: first(docs, "NetworkPolicy")["ingress"][0]["ports"].append({"port": 7702}),
    "is probed at port http": lambda docs: container(docs)["readinessProbe"]["httpGet"].update(port="http"),
    "has no ring-health": lambda docs: container(docs)["livenessProbe"].update(exec={"command": ["ring-health"]}),
    "which is nowhere": lambda docs: container(docs)["volumeMounts"].append({"name": "music"}),
    "nothing makes": lambda docs: pod(of(docs, "StatefulSet")[0])["volumes"][0]["secret"].update(secretName="tls"),
    "leads nowhere": lambda docs: container(docs)["env"].append({"name": "A", "value": "servers:7700"}),
    "gives pods no names": lambda docs: of(docs, "StatefulSet")[0]["spec"].update(serviceName="client"),
}


@pytest.mark.parametrize("words", PLANTED)
def test_what_is_wrong_is_found(words: str) -> None:
    docs = documents()
    PLANTED[words](docs)
    assert any(words in found for found in wrong(docs)), wrong(docs)


def test_a_misspelt_field_is_found() -> None:
    docs = documents()
    container(docs)["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="readinesProbe"):
        kubernetes_validate.validate(of(docs, "StatefulSet")[0], VERSIONS[-1], strict=True)
