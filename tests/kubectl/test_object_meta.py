"""Objects whose metadata is of other types: refused before anything is asked, as kubectl does."""

from __future__ import annotations

from typing import Any

import pytest

UNDECODABLE = [
    ("[a]", "array into Go struct field metadataOnlyObject.metadata of type v1.ObjectMeta"),
    ("x", "string into Go struct field metadataOnlyObject.metadata of type v1.ObjectMeta"),
    *(
        (f"{{{member}}}", f"{found} into Go struct field ObjectMeta.metadata.{place}")
        for member, found, place in (
            ("name: [a]", "array", "name of type string"),
            ("name: 3", "number", "name of type string"),
            ("uid: 3", "number", "uid of type types.UID"),
            ("generation: x", "string", "generation of type int64"),
            ("labels: [x]", "array", "labels of type map[string]string"),
            ("labels: {b: true}", "bool", "labels of type string"),
            ("labels: [x], annotations: x", "string", "annotations of type map[string]string"),
            ("annotations: {b: 1}", "number", "annotations of type string"),
            ("finalizers: x", "string", "finalizers of type []string"),
            ("finalizers: [1]", "number", "finalizers of type string"),
            ("managedFields: x", "string", "managedFields of type []v1.ManagedFieldsEntry"),
            ("ownerReferences: [x]", "string", "ownerReferences of type v1.OwnerReference"),
        )
    ),
]
"""Recorded at kubectl 1.37."""


@pytest.mark.parametrize(("metadata", "says"), UNDECODABLE)
def test_metadata_of_another_type_is_refused_in_the_words_of_go(
    kubectl: Any, metadata: str, says: str
) -> None:
    kubectl.write(a_yaml=f"apiVersion: v1\nkind: ConfigMap\nmetadata: {metadata}\n")
    told = f'error: unable to decode "a.yaml": json: cannot unmarshal {says}\n'
    assert kubectl.run("create -f a.yaml").stderr == told
    assert kubectl.run("apply --prune -l a=b -f a.yaml").stderr == told


@pytest.mark.parametrize("command", ["apply --server-side", "delete", "replace", "diff", "get"])
def test_every_command_reads_files_alike(kubectl: Any, command: str) -> None:
    kubectl.write(a_yaml="apiVersion: v1\nkind: ConfigMap\nmetadata: [a]\n")
    assert 'unable to decode "a.yaml": json: cannot' in kubectl.run(f"{command} -f a.yaml").stderr


def test_members_that_are_null_or_unknown_are_left_alone(kubectl: Any) -> None:
    metadata = "{name: a, labels: null, annotations: {x: null}, finalizers: []}"
    kubectl.write(a_yaml=f"apiVersion: v1\nkind: ConfigMap\nmetadata: {metadata}\n")
    assert kubectl.run("create -f a.yaml").exit_code == 0
