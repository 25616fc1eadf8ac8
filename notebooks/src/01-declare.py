# %% [markdown]
# # Declare, do not command
#
# Five clusters, one runbook, the same nine steps. In the evening there are four different shops, and
# nobody made a mistake.
#
# In this lesson you see how that comes about, and you replace commands by descriptions until a whole
# cluster can be lost and built again. It takes about 50 minutes.

# %%
from gitops_sim import Lab

lab = Lab(seed=1)
book = lab.forge.import_repository("samples/runbook")
teams = lab.forge.import_repository("samples/teams")
home = lab.cluster("home")

# %% [markdown]
# ## 1. Twice is once
#
# This is a **manifest**: one object of Kubernetes, written down. It has no verb in it. It says what
# there shall be: a Deployment `web`, with two pods, of this image.

# %%
print(book.read("manifests/3-web.yaml"))

# %% [markdown]
# The directory `manifests` has three of them. `kubectl apply` makes a cluster look like them:

# %%
print(home.kubectl("apply -f manifests", repository=book))

# %% [markdown]
# *Exercise E01.1.* Guess what the same call prints the second time. Then call it again, and keep what
# it returns in `second`.

# %% tags=["answer"]
second = ""

# %% tags=["check"]
lab.check("E01.1", answer=second)

# %% [markdown]
# Stuck? Each run of the next cell helps a little more. Every exercise has such help.

# %% tags=["hint"]
lab.check("E01.1", answer=second).hint()

# %% [markdown]
# ## 2. The runbook
#
# Here is the same intent as a runbook: nine commands, to be followed from the top until one fails.

# %%
print(book.read("web.sh"))


# %%
def follow(cluster, steps):
    """Take one step after the other, until one fails."""
    for step in steps:
        done = cluster.kubectl(step)
        if done.exit_code:
            return f"stopped at: {step}"
    return "came to the end"


# %% [markdown]
# And here are five clusters, as one finds them. One is empty. In one somebody was interrupted after the
# first step. One has been done before. In one someone scaled up, and one still has the version of
# last week.
#
# `connect` only tells the pictures which directory we mean. Nothing delivers it.

# %%
runbook = book.read("web.sh").splitlines()
starts = {"empty": [], "half-done": runbook[:1], "done-before": runbook}
starts["scaled"] = [*runbook, "scale deployment web -n shop --replicas=9"]
starts["old-version"] = [*runbook[:5], *runbook[6:]]
for name, steps in starts.items():
    cluster = lab.cluster(name, nodes=1)
    cluster.pipeline.connect(book, path="manifests")
    follow(cluster, steps)
worlds = [lab.cluster(name) for name in starts]

# %% [markdown]
# *Guess:* somebody follows the runbook in each of them. In how many does it come to the end, and how
# many different shops are there afterwards?

# %%
for world in worlds:
    print(f"{world.name:12}", follow(world, runbook))


# %%
def beside(worlds):
    first, *others = [lab.compare(world) for world in worlds]
    return first.beside(*others)


beside(worlds)

# %% [markdown]
# Each column is a cluster: *S* is as we meant it, *D* differs, *M* is missing. The two *D* are not even
# the same: one cluster has nine pods, the other an old version.


# %%
def shops(world):
    specs = [found["spec"] for found in world.list("Deployment", "shop")]
    return [(s["replicas"], s["template"]["spec"]["containers"][0]["image"]) for s in specs]


for world in worlds:
    print(f"{world.name:12}", shops(world))
assert len({str(shops(world)) for world in worlds}) == 4

# %% [markdown]
# A command says what to **do**. What comes of it depends on where you stand. A description says what
# there shall **be**, and whoever carries it out looks first. *Guess* what three manifests make of the
# same five clusters.

# %%
for world in worlds:
    world.kubectl("apply -f manifests", repository=book)
lab.run("1m")
beside(worlds)

# %%
assert all(lab.compare(world).in_sync for world in worlds)
assert len({str(shops(world)) for world in worlds}) == 1

# %% [markdown]
# Doing it once or five times, from here or from there: the end is the same. That is **idempotent**, and
# the description is the **desired state**. The runbook knew one beginning, and stopped at every other.
#
# ## 3. From runbook to manifests
#
# *Exercise E01.2.* Here is the runbook of the cart. Write manifests that bring any cluster to where this
# leads from an empty one. They will be applied to clusters in every kind of disorder.

# %%
print(book.read("cart.sh"))

# %% tags=["answer"]
cart = """
"""

# %% tags=["check"]
lab.check("E01.2", answer=cart)

# %% [markdown]
# ## 4. Descriptions that do not hold still
#
# Eight teams write manifests. Before each delivery a pipeline fills in some values.
#
# *Exercise E01.3.* Three of the eight would deliver something else tomorrow, although nobody commits
# anything. Those are commands in disguise. Which ones?

# %%
print(teams.read("README.md"))
print(*teams.tree().files(), sep="\n")

# %% tags=["answer"]
changing = set()

# %% tags=["check"]
lab.check("E01.3", answer=changing)

# %% [markdown]
# ## 5. Who remembers?
#
# Two functions make disks in a cloud. Both are told which disks there shall be. The first one keeps a
# **state file**: the dict `state`. The second one looks.

# %%
cloud = lab.cluster("cloud", nodes=1)
cloud.kubectl("create namespace shop")


def make(disk):
    metadata = {"generateName": f"{disk}-", "namespace": "shop", "labels": {"disk": disk}}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": spec}
    return cloud.create(claim | {"metadata": metadata})["metadata"]["name"]


# %%
def plan_and_apply(disks, state):
    for disk in disks:
        if disk not in state:
            state[disk] = make(disk)


def reconcile(disks):
    found = cloud.list("PersistentVolumeClaim", "shop")
    there = {claim["metadata"]["labels"]["disk"] for claim in found}
    for disk in disks:
        if disk not in there:
            make(disk)


# %%
state = {}
if not cloud.list("PersistentVolumeClaim", "shop"):
    plan_and_apply(["database"], state)
columns = "NAME:.metadata.name,DISK:.metadata.labels.disk"
print(cloud.kubectl(f"get pvc -n shop -o custom-columns={columns}"))

# %% [markdown]
# That database is full of orders. Then the laptop with the state file falls into a river.

# %%
state.clear()

# %% [markdown]
# *Exercise E01.4.* Now the shop needs `["database", "orders"]`, one disk of each, and the database must
# stay the disk that it is. *Guess* what each function would do. Use the one that you trust, and hand in
# its name.

# %% tags=["answer"]
trusted = ""

# %% tags=["check"]
lab.check("E01.4", answer=trusted)

# %% [markdown]
# ## 6. Rebuild the shop
#
# In `prod` nobody types `apply` any more. **Flux** reads `manifests` from Git and does it every minute.
# Then the night shift came. It typed one command in a hurry, and left no note; do not read it off the
# cell. Flux has nothing to say against what it does not know.

# %%
import base64

prod = lab.cluster("prod", nodes=1)
prod.flux.bootstrap(book, path="manifests", interval="1m")
lab.run("3m")
night = b"Y3JlYXRlIGNvbmZpZ21hcCBvcGVuaW5nLWhvdXJzIC1uIHNob3AgLS1mcm9tLWxpdGVyYWw9bW9uZGF5PTgtMTg="
typed = prod.kubectl(base64.b64decode(night).decode())
lab.run("10m")
print(prod.flux.get())

# %% [markdown]
# *Exercise E01.5.* The data centre of `prod` closes tomorrow. Build a cluster `rebuilt` that equals it,
# with Flux, from Git alone. First find out what in `prod` Git has never seen.

# %% tags=["answer"]
# Look, commit, bootstrap, and give it time.

# %% tags=["check"]
lab.check("E01.5")

# %% [markdown]
# ## 7. What it is called
#
# | You saw | Name | Where you meet it |
# | --- | --- | --- |
# | steps that depend on where you stand | imperative, a *procedure* | runbooks, `kubectl create`, `scale`, `edit` |
# | files without verbs | declarative, *desired state* | manifests; the first [OpenGitOps](https://opengitops.dev/) principle |
# | again, and nothing happens | idempotent | `kubectl apply`, Flux's `interval`, Argo CD's self-heal |
# | a date, a chance, a counter in the files | not declarative | templates that do not render the same twice |
# | a memory beside the world | state file | Terraform's state and its `import` |
# | a mark on the object | labels, an inventory | Flux's inventory, Argo CD's tracking annotation |
# | a cluster read again from Git | recovery from the desired state | `flux bootstrap`, Argo CD's app of apps |
#
# Read on: [object management](https://kubernetes.io/docs/concepts/overview/working-with-objects/object-management/)
# compares the ways in Kubernetes' own words.
#
# **On a cluster of your own** `kubectl apply -f manifests` does the same; so does Flux, once
# `flux bootstrap` has been run there with a repository that it can reach.
