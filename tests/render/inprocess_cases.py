"""Kustomizations for the tests of builds in process, one a feature: name -> files."""

from __future__ import annotations

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  creationTimestamp: null
spec:
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      serviceAccountName: runner
      imagePullSecrets: [{name: pull}]
      initContainers:
        - {name: init, image: "nginx@sha256:aa"}
      containers:
        - name: web
          image: registry.example.com:5000/shop/web:1.4.0
          env:
            - {name: A, valueFrom: {configMapKeyRef: {name: flags, key: a}}}
          envFrom: [{configMapRef: {name: flags}}, {secretRef: {name: token}}]
          ports: [{containerPort: 8080}]
          volumeMounts: [{name: v, mountPath: /v}]
        - {name: side, image: nginx}
      volumes:
        - name: v
          projected: {sources: [{configMap: {name: flags}}, {secret: {name: token}}]}
        - {name: data, persistentVolumeClaim: {claimName: data}}
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 1
              podAffinityTerm: {labelSelector: {matchLabels: {app: web}}, topologyKey: zone}
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec: {ports: [{port: 80}]}
"""
OTHERS = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: flags}
data: {a: b, text: "one\\ntwo\\n"}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {storageClassName: fast, resources: {requests: {storage: 1Gi}}}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
provisioner: example.com/disk
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [configmaps], resourceNames: [flags, other], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
  - {kind: ServiceAccount, name: default, namespace: elsewhere}
  - {kind: ServiceAccount, name: runner}
  - {kind: ServiceAccount, name: runner, namespace: elsewhere}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: runner, namespace: elsewhere}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, annotations: {nginx.ingress.kubernetes.io/auth-secret: token}}
spec:
  tls: [{secretName: token}]
  rules: [{http: {paths: [{path: /, backend: {service: {name: web, port: {number: 80}}}}]}}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: v1
kind: Secret
metadata: {name: token}
stringData: {t: x}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec: {serviceName: web, volumeClaimTemplates: [{metadata: {name: d}}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: tidy}
spec: {schedule: "0 * * * *"}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec: {template: {spec: {containers: [{name: c, image: "nginx:1.25"}]}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: np}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{from: [{podSelector: {matchLabels: {a: b}}}]}]
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec: {containers: [{image: "nginx:1"}], size: 1.50}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com}
"""
BASE = "resources: [web.yaml, others.yaml]\n"
FILES: dict[str, str | bytes] = {
    "base/kustomization.yaml": BASE,
    "base/web.yaml": WEB,
    "base/others.yaml": OTHERS,
}


COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
NO_NULL: dict[str, str | bytes] = {"base/web.yaml": WEB.replace("  creationTimestamp: null\n", "")}
"""The base without a null, which no merge patch takes in process."""


def overlay(text: str, **more: str) -> dict[str, str | bytes]:
    """Return an overlay over the base with all kinds, and further files of it."""
    files = {name.replace("__", "."): content for name, content in more.items()}
    return FILES | {"kustomization.yaml": f"resources: [base]\n{text}"} | files


CASES: dict[str, dict[str, str | bytes]] = {
    "nothing": overlay(""),
    "namespace": overlay("namespace: shop-2"),
    "namespace and prefix": overlay("namespace: other\nnamePrefix: my-"),
    "prefix and suffix": overlay("namePrefix: my-\nnameSuffix: -v2"),
    "prefixes of two levels": overlay("namePrefix: a-")
    | {"base/kustomization.yaml": f"{BASE}namePrefix: b-\n"},
    "common labels and annotations": overlay(
        'commonLabels: {team: a, app: "1"}\ncommonAnnotations: {note: b}'
    ),
    "labels": overlay("labels: [{pairs: {team: a}}]"),
    "labels in templates": overlay("labels: [{pairs: {team: a}, includeTemplates: true}]"),
    "labels in selectors": overlay(
        "labels: [{pairs: {team: a}, includeSelectors: true}, {pairs: {b: c}}]"
    ),
    "image tag": overlay('images: [{name: nginx, newTag: "1.27"}]'),
    "image name": overlay(
        "images: [{name: registry.example.com:5000/shop/web, newName: web, digest: 'sha256:ab'}]"
    ),
    "image tag and digest": overlay(
        "images: [{name: nginx, newName: b.example.com/n, newTag: v1, digest: 'sha256:ab'}]"
    ),
    "replicas": overlay("replicas: [{name: web, count: 4}, {name: db, count: 0}]"),
    "replicas under a prefix": overlay("namePrefix: my-\nreplicas: [{name: my-web, count: 2}]"),
    "merge patch by name": overlay(
        "namespace: shop\npatches: [{path: p.yaml}]",
        p__yaml="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {a: b}}
spec: {replicas: 3}
""",
    )
    | NO_NULL,
    "merge patch of containers": overlay(
        """
patches:
- target: {kind: Deployment, name: w.*}
  patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: any, annotations: {x: z}}
    spec:
      template:
        spec:
          serviceAccountName: null
          containers:
          - name: side
            image: nginx:2
            args: [a, b]
          - name: new
            image: new
            emptyDir: {}
          volumes: [{name: v, emptyDir: {}}]
"""
    )
    | NO_NULL,
    "merge patch of a custom resource": overlay(
        """
patchesStrategicMerge:
- |-
  apiVersion: example.com/v1
  kind: Widget
  metadata: {name: w}
  spec: {containers: [{image: other}], more: {a: [1, 2]}}
"""
    ),
    "deleting patch": overlay(
        """
patches:
- patch: |
    $patch: delete
    apiVersion: v1
    kind: Secret
    metadata: {name: token}
"""
    ),
    "JSON patch": overlay(
        """
patches:
- target: {kind: Deployment|StatefulSet}
  patch: |-
    - {op: replace, path: /spec/replicas, value: 2}
- target: {labelSelector: app=web, version: v1}
  path: ops.yaml
patchesJson6902:
- target: {version: v1, kind: ConfigMap, name: flags}
  patch: '[{"op": "remove", "path": "/data/a"}, {"op": "add", "path": "/data/a~1b", "value": "1"}]'
""",
        ops__yaml="- {op: add, path: /metadata/labels/new, value: 'yes'}\n",
    )
    | {"base/web.yaml": WEB.replace("spec:\n  selector", "spec:\n  replicas: 1\n  selector", 1)},
    "generators": overlay(
        """
namePrefix: my-
configMapGenerator:
- name: made
  files: [app.properties, key=app.properties, bin]
  envs: [app.env]
  literals: ["q='a b'", 'w="c"', e=x=y, html=<&>é]
  options: {annotations: {a: b}}
- name: plain
  namespace: other
  options: {disableNameSuffixHash: true}
secretGenerator:
- name: sealed
  type: example.com/kind
  files: [bin, long]
  envs: [app.env]
generatorOptions: {labels: {g: o}, annotations: {an: x}}
""",
        app__properties="a=1\nb=2",
        app__env='# text\nE1=v1\n\nE2="q"\n  E3= sp \nE4=a=b',
        long="x" * 200,
    )
    | {"bin": b"\xff\xfe" * 40},
    "generated names in references": overlay(
        """
configMapGenerator: [{name: flags, behavior: create, literals: [a=1]}]
secretGenerator: [{name: token, literals: [t=1]}]
"""
    )
    | {
        "base/others.yaml": "\n---\n".join(
            text
            for text in OTHERS.split("\n---\n")
            if "{name: flags}" not in text and "{name: token}" not in text
        )
    },
    "merged generators": {
        "base/kustomization.yaml": """
configMapGenerator:
- {name: one, literals: [a=1, b=1], options: {labels: {l: m}}}
- {name: two, literals: [a=1, b=1], options: {labels: {l: m}}}
""",
        "kustomization.yaml": """
resources: [base]
nameSuffix: -s
configMapGenerator:
- {name: one, behavior: merge, literals: [b=2, c=2], options: {labels: {o: p}}}
- {name: two, behavior: replace, literals: [b=2]}
""",
    },
    "component": {
        f"top/{path}": content
        for path, content in overlay("components: [../extra]\nnamespace: shop").items()
    }
    | {
        "extra/kustomization.yaml": f"""{COMPONENT}resources: [more.yaml]
namePrefix: c-
configMapGenerator: [{{name: g, literals: [a=b]}}]
replicas: [{{name: web, count: 9}}]
""",
        "extra/more.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: more}\n",
    },
    "component in a component": {
        "kustomization.yaml": "resources: [r.yaml]\ncomponents: [c1]\nnameSuffix: -z\n",
        "r.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n",
        "c1/kustomization.yaml": f"{COMPONENT}components: [../c2]\nnamePrefix: p-\n",
        "c2/kustomization.yaml": f"{COMPONENT}labels: [{{pairs: {{l: m}}}}]\n",
    },
    "one base under two prefixes": {
        "base/kustomization.yaml": "resources: [web.yaml]\n",
        "base/web.yaml": WEB,
        "a/kustomization.yaml": "resources: [../base]\nnamePrefix: a-\n",
        "b/kustomization.yaml": "resources: [../base]\nnamePrefix: b-\n",
        "kustomization.yaml": "resources: [a, b]\n",
    },
    "one base in two namespaces": FILES
    | {
        "base/others.yaml": OTHERS.split("---\n")[1],
        "a/kustomization.yaml": "resources: [../base]\nnamespace: a\nnameSuffix: -x\n",
        "b/kustomization.yaml": "resources: [../base]\nnamespace: b\n",
        "kustomization.yaml": "resources: [a, b]\n",
    },
    "generator merged under its first name": {
        "base/kustomization.yaml": "namespace: shop\nnamePrefix: b-\nresources: [web.yaml]\n"
        "configMapGenerator: [{name: flags, literals: [a=1]}]\n",
        "base/web.yaml": WEB,
        "kustomization.yaml": "resources: [base]\nnamePrefix: o-\n"
        "configMapGenerator: [{name: flags, behavior: merge, literals: [b=2]}]\n",
    },
    "base64 of every length": {
        "kustomization.yaml": "secretGenerator: [{name: s, files: [f51, f52, f53, f105]}]\n",
        **{f"f{size}": "y" * size for size in (51, 52, 53, 105)},
    },
    "order": {
        "kustomization.yaml": "resources: [r.yaml]\n",
        "r.yaml": "---\n".join(
            f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}}}\n"
            for version, kind, name in (
                ("v1", "Pod", "b"),
                ("v1", "Pod", "a, namespace: z"),
                ("v1", "Pod", "A"),
                ("v1", "Pod", "a-b"),
                ("v1", "Pod", "a.b"),
                ("apps/v1", "DaemonSet", "x"),
                ("batch/v1", "Job", "x"),
                ("a.example.com/v1", "Foo", "x"),
                ("a.example.com/v1", "Foo", "a, namespace: b"),
                ("a.example.com/v2", "Foo", "w"),
                ("b/v1", "Bar", "w"),
                ("v1", "Endpoints", "w"),
                ("v1", "LimitRange", "w"),
                ("policy/v1", "PodDisruptionBudget", "w"),
                ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "v"),
                ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "w"),
            )
        ),
    },
}
