# %% [markdown]
# # Kubernetes: a database that is watched
#
# Last night one message got lost on its way to two programs. One of them still owes a customer a
# receipt, and nothing is red. The other never noticed.
#
# In this lesson you see why, and you write a program of the second kind. It takes about 50 minutes.
# The cluster runs in this notebook and answers to the real `kubectl`; a cluster of your own is never
# touched.

# %%
from gitops_sim import Lab

lab = Lab(seed=3)
demo = lab.cluster("demo")
served = lab.serve(speed=0)
# !kubectl create namespace shop
lab.run("1m")

# %% [markdown]
# ## 1. Predict: what does one Deployment make?
#
# `lab.serve` gave the cluster an address, and told `kubectl` where that is. With `speed=0` time stands
# still until you say `lab.run`. A command that waits for something, such as `kubectl delete pod`, would
# wait for ever; the stop button of the notebook ends it.
#
# Next you create **one Deployment** that asks for two pods. Other objects will come to be because of
# it. *Predict* which kinds, and which kind owns each of them. If a switch made lamps, you would write
# `{"Lamp": "Switch"}`.

# %% tags=["answer"]
owners = {}

# %%
# !kubectl create deployment web --image=shop/web:1.0.0 --replicas=2 -n shop
lab.run("1m")

# %% tags=["check"]
lab.check("E03.1", answer=owners)

# %% [markdown]
# Change your prediction and check again, as often as you like. Each run of the next cell helps a little
# more.

# %% tags=["hint"]
lab.check("E03.1", answer=owners).hint()

# %% [markdown]
# This is what came to be. A line leads from an object to what it owns.

# %%
lab.compare(demo).tree()

# %% [markdown]
# ## 2. Nobody calls the next one
#
# You gave one command, and four programs worked. *Guess:* who called whom? The picture shows the last
# minute; if you have let more time pass, ask for more.

# %%
lab.compare(demo, since="1m").ladder()

# %% [markdown]
# Read it from the top. Every blue arrow ends at the API server: nobody calls the next one. Each program
# **watches** the kinds that it cares about, is told of a change, and writes what follows from it.
#
# On the way down they write what *shall* be: `spec`. From the kubelet on they write what *is*:
# `status`. `kubectl` was done after the first arrow. It has stored a wish.

# %%
# !kubectl scale deployment web --replicas=3 -n shop
# !kubectl get deployment web -n shop

# %% [markdown]
# Time stands still, so nobody has acted yet: `READY 2/3` is `status` against `spec`. *Guess* what ten
# seconds change, then run it.

# %%
lab.run("10s")
# !kubectl get deployment web -n shop

# %% [markdown]
# ## 3. List, then watch
#
# The API server is a database with one number: every write takes the next **resourceVersion**. A list
# has one too. It says: this is how things were at that version. Three changes follow, and in the end
# nothing is left of them.

# %%
import json

# listed = !kubectl get --raw /api/v1/namespaces/shop/configmaps
version = json.loads(listed[0])["metadata"]["resourceVersion"]
print("listed at version", version)
# !kubectl create configmap menu -n shop --from-literal=soup=tomato
# !kubectl label configmap menu -n shop day=monday
# !kubectl delete configmap menu -n shop

# %% [markdown]
# *Guess:* a watch that starts at the version of your list, now. What does it tell?

# %%
url = "/api/v1/namespaces/shop/configmaps?watch=1&timeoutSeconds=1&resourceVersion=" + version
# log = !kubectl get --raw "{url}"
for line in log:
    event = json.loads(line)
    metadata = event["object"]["metadata"]
    print(event["type"], metadata["name"], metadata.get("labels"), metadata["resourceVersion"])

# %% [markdown]
# All of it, in order, although it was over before you asked. **List, then watch from the version of the
# list**: no gap between the two, and nothing twice. Every controller begins like this.
#
# A server does not keep its log for ever. If it has forgotten your version, it answers *410 Gone*;
# exercise E03.3 makes you live through that.

# %% [markdown]
# ## 4. The lost message
#
# Two shops owe a receipt for each order. Both are told of new orders by a watch.
#
# - `edge` reacts to **what happened**: an order was added, so it writes that receipt.
# - `level` looks at **what is**: it lists all orders, and writes the receipts that are missing.

# %%
from gitops_sim.viz import Ladder, Message, draw_ladder

watch = demo.watch("ConfigMap", "shop", labels="app=order")


def orders():
    """List the names of all orders."""
    found = demo.list("ConfigMap", "shop", labels="app=order")
    return {order["metadata"]["name"] for order in found}


# %%
def place(number):
    """Store an order, and return what the watch tells of it. Number 1 begins a new day."""
    for old in orders() if number == 1 else ():
        demo.delete("ConfigMap", old, "shop")
    metadata = {"name": f"order-{number:02}", "namespace": "shop", "labels": {"app": "order"}}
    demo.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    return watch.drain()[-1]


# %% [markdown]
# A day has 20 orders. `event` reaches both shops, except for one that gets lost. The two lines at the
# end are the two programs.


# %%
def day(lost):
    edge, level, said = set(), set(), []
    for number in range(1, 21):
        event = place(number)
        name = event.object["metadata"]["name"]
        for shop in ("edge", "level"):
            news = Message(number, "API server", shop, f"{name} ADDED", "news", number == lost)
            said.append(news)
        if number != lost:
            edge.add(name)
            level |= orders()
    return edge, level, said


# %% [markdown]
# *Guess:* event number 7 gets lost. What do the two shops owe in the evening?

# %%
edge, level, said = day(lost=7)
print("edge owes", sorted(orders() - edge))
print("level owes", sorted(orders() - level))
assert len(orders() - edge) == 1
assert not orders() - level
draw_ladder(Ladder(("API server", "edge", "level"), tuple(said[10:18]), "orders 6 to 9"))

# %% [markdown]
# Both lost the same message. `level` made up for it with the next one that came, without ever knowing.
# `edge` is wrong for good: no later message speaks of order 7.
#
# Engineers borrow the names from electronics. **Edge-triggered**: react to the change.
# **Level-triggered**: react to the state, and take a change as a reason to look. Kubernetes'
# controllers are level-triggered, and so is GitOps.
#
# Change one thing: the *last* event of the day gets lost. *Guess* first.

# %%
edge, level, said = day(lost=20)
print("edge owes", sorted(orders() - edge))
print("level owes", sorted(orders() - level))

# %% [markdown]
# No message comes any more, so now `level` owes one too. Only until it looks again:

# %%
level |= orders()
assert not orders() - level

# %% [markdown]
# That is why Flux has an `interval` and Argo CD a reconciliation timeout. Events make it quick. Looking
# again makes it certain.

# %% [markdown]
# ## 5. Write a reconciler
#
# *Exercise E03.2.* `desired` and `actual` are dicts from a key, (kind, namespace, name), to a manifest.
# Return what to do, in order: `("apply", key)` or `("delete", key)`. Take at most 20 lines, and never
# touch what others made. You are judged on 200 generated clusters, each with an
# API server of its own.


# %% tags=["answer"]
def is_mine(manifest):
    labels = manifest["metadata"].get("labels", {})
    return labels.get("app.kubernetes.io/managed-by") == "lesson"


def reconcile(desired, actual):
    return []


# %% [markdown]
# Try it by hand first. Here one thing is desired, and nothing is there:

# %%
key = ("ConfigMap", "shop", "menu")
menu = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"soup": "leek"}}
menu["metadata"] = {"name": "menu", "namespace": "shop"}
reconcile({key: menu}, {})

# %% tags=["check"]
lab.check("E03.2", answer=reconcile)

# %% [markdown]
# ## 6. Survive 410 Gone
#
# *Exercise E03.3.* `follow` keeps a cache of the orders: it lists, and then it watches. `yield` waits
# until something has happened. It is right until the server has forgotten the version it asks for:
# then `api.watch` raises `ExpiredError`, from `gitops_sim.errors`. Make it survive that, ten times.


# %% tags=["answer"]
def follow(api, cache):
    objects, version = api.list()
    cache.update({found["metadata"]["name"]: found for found in objects})
    while True:
        for event in api.watch(since=version):
            name = event.object["metadata"]["name"]
            cache.pop(name, None)
            if event.type != "DELETED":
                cache[name] = event.object
            version = event.resource_version
        yield


# %% tags=["check"]
lab.check("E03.3", answer=follow)

# %% [markdown]
# ## 7. Two writers, one object
#
# The resourceVersion has a second use. You and someone else read the same object. They write first.
# *Guess* what happens to your write.

# %%
from gitops_sim.errors import ConflictError

yours, theirs = (demo.get("ConfigMap", "order-01", "shop") for _ in range(2))
demo.update(theirs | {"data": {"table": "4"}})
try:
    demo.update(yours | {"data": {"guests": "2"}})
except ConflictError as error:
    print(error)

# %% [markdown]
# *409 Conflict*: you meant a version that is no longer the newest. Nothing is lost, and nobody had to
# wait for a lock.
#
# *Exercise E03.4.* `increment` adds one to a counter that someone else increments too, just when it
# hurts. Make every increment count, in 100 races.


# %% tags=["answer"]
def increment(api):
    counter = api.get("ConfigMap", "counter")
    counter["data"]["count"] = str(int(counter["data"]["count"]) + 1)
    api.update(counter)


# %% tags=["check"]
lab.check("E03.4", answer=increment)

# %% [markdown]
# ## 8. Garbage
#
# *Exercise E03.5.* Delete the Deployment `web`, and keep its pods: the same ones, running an hour
# later. Let Kubernetes do it, and change no `ownerReferences` yourself.
#
# Deleting waits for the garbage collector, so time has to pass: from here on ten seconds in each of
# yours.

# %%
served = lab.serve(speed=10)
# !kubectl get pods -n shop -o name

# %% tags=["answer"]
# Your command goes here, and then time: lab.run("1h")

# %% tags=["check"]
lab.check("E03.5")

# %% [markdown]
# Whatever you did, the picture shows what is left, and what owns it.

# %%
lab.compare(demo).tree()

# %% [markdown]
# ## 9. What it is called
#
# | You saw | Name | Flux | Argo CD |
# | --- | --- | --- | --- |
# | list, then watch from its version | list-watch; *reflector* and *informer* in client-go | wakes its controllers | the cluster cache |
# | a wish, and what became of it | `spec` and `status` | the Ready condition is status | health is read from status |
# | look at what is, whatever happened | level-triggered, *reconciliation* | `interval` | `timeout.reconciliation` |
# | 409, read again, write again | optimistic concurrency | its queue tries again | the same |
# | delete what is yours and not desired | *prune* | an inventory | a label or annotation |
# | who goes with whom | `ownerReferences`, garbage collection | prunes what it applied, the rest follows | the resource tree |
#
# Read on: [Kubernetes API concepts](https://kubernetes.io/docs/reference/using-api/api-concepts/),
# [controllers](https://kubernetes.io/docs/concepts/architecture/controller/) and
# [garbage collection](https://kubernetes.io/docs/concepts/architecture/garbage-collection/).
#
# **On a cluster of your own** every `kubectl` line of this lesson works as it stands, in a namespace
# `shop` and with an image that exists. Only time passes by itself there.

# %%
served.stop()
