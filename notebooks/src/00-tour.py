# %% [markdown]
# # The tour: follow one commit to a running pod
#
# Five minutes. You change a cluster by hand, you change it by a commit, and you see which change
# lasts.
#
# Everything runs inside this notebook: a Git server, two Kubernetes clusters and a clock that you
# move. Nothing of yours is touched, and nothing is downloaded. Run each cell with **Shift+Enter**.
# Where you read *guess*, guess first. If a cell says that `lab` is not defined, the kernel was
# restarted and the lab is gone with it: run the cells from the top again.

# %%
from gitops_sim import Lab

lab = Lab(seed=1)
shop = lab.forge.import_repository("samples/shop")

# %% [markdown]
# ## 1. Git says what should run
#
# `shop` is a Git repository. It does not say how to deploy, it says what should run: these services,
# this many pods. An *overlay* says what is special about one environment.

# %%
print(shop.read("overlays/staging/kustomization.yaml"))

# %% [markdown]
# ## 2. Two ways to deliver it
#
# Two clusters shall run what that overlay describes.
#
# - `pushed`: a **pipeline** runs `kubectl apply` after each commit, from outside the cluster.
# - `staging`: **Flux** runs inside the cluster. It looks at Git every minute, and at the cluster every
#   ten minutes.

# %%
pushed = lab.cluster("pushed")
pushed.pipeline.connect(shop, path="overlays/staging")

staging = lab.cluster("staging")
staging.flux.bootstrap(shop, path="overlays/staging", interval="1m")

# %% [markdown]
# *Guess:* both know the repository. After five minutes without a commit, which of them runs the
# shop?

# %%
lab.run("5m")

# %%
lab.compare(staging)

# %%
lab.compare(pushed)

# %% [markdown]
# The left card of a row is what Git declares, the right card is what runs. Press **play** under the
# first picture to see how it came to be.
#
# `pushed` is empty. A pipeline answers to *events*, and nobody has pushed yet. Flux needs no event:
# it compares, finds that something is missing, and makes it. That round is called **reconciling**,
# and here it is:

# %%
staging.flux.loop()

# %% [markdown]
# ## 3. A commit
#
# Give the web front end a new version. You change one line of a file and commit it.

# %%
text = shop.read("base/web.yaml")
image = text.partition("image: ")[2].split()[0]
commit = shop.commit({"base/web.yaml": text.replace(image, "shop/web:2.0.0")}, "Deliver web 2.0.0")
print(f"{image} becomes shop/web:2.0.0 in commit {commit[:7]}")

# %% [markdown]
# *Guess:* which cluster has it first?

# %%
lab.run("7m")

# %%
lab.compare(pushed).lanes()

# %%
lab.compare(staging).lanes()

# %% [markdown]
# The upper lane is Git: diamonds are commits. The lower lane is the cluster: triangles are
# deliveries. The band between them is as high as the number of objects that differ.
#
# The pipeline started with the commit. Flux found it when its minute was over. **Push** is quick
# while everything works. **Pull** needs nobody to call it, and it was there before the first commit.

# %% [markdown]
# ## 4. A change by hand
#
# It is late, the shop is slow, and someone scales `web` with `kubectl`, in both clusters.

# %%
print(pushed.kubectl("scale deployment/web --replicas=9 --namespace shop"))
print(staging.kubectl("scale deployment/web --replicas=9 --namespace shop"))

# %%
lab.compare(staging)

# %% [markdown]
# The row of `web` says who did it. This is **drift**: the cluster differs from its description, and
# the cause is not in Git. *Guess:* what do both clusters look like in a quarter of an hour?

# %%
lab.run("15m")

# %%
lab.compare(pushed).lanes()

# %%
lab.compare(staging).lanes()

# %% [markdown]
# The cross is the edit. In `staging` it lasted until Flux compared again. In `pushed` it is still
# there, and stays until the next commit happens to overwrite it. Nobody is looking.

# %%
assert pushed.get("Deployment", "web", "shop")["spec"]["replicas"] == 9
assert staging.get("Deployment", "web", "shop")["spec"]["replicas"] != 9

# %% [markdown]
# ## 5. A bad image, and the way back
#
# The next version has a fault: it starts, and never gets ready. In the lab an image is how it
# behaves, so that you can make a bad one.

# %%
lab.registry.push("shop/web:3.0.0", ready=False)
text = shop.read("base/web.yaml")
bad = shop.commit({"base/web.yaml": text.replace("web:2.0.0", "web:3.0.0")}, "Deliver web 3.0.0")
lab.run("15m")
print(staging.kubectl("rollout status deployment/web --namespace shop"))
print(staging.kubectl("get pods --selector app=web --namespace shop"))

# %% [markdown]
# The roll-out is stuck. *Guess:* what do the users of `web` see?

# %%
staging.users("web")

# %% [markdown]
# Above, what users see; below, what the cluster was asked to run. The roll-out of 3.0.0 hangs, and
# still they see 2.0.0, and not one request has failed: the new pod gets no requests until its
# **readiness probe** passes, and the Deployment keeps the old pods until then.
#
# The way back is a commit too: the opposite of the bad one.

# %%
shop.revert(bad)
lab.run("3m")
print(staging.kubectl("rollout status deployment/web --namespace shop"))

# %% [markdown]
# What if a bad version does get ready? Of what this one is asked, three in ten fail. *Guess* how long
# it takes until more has failed than may fail in the whole hour. The black line is the **error
# budget**: what may fail when 99 % of the requests shall be answered.

# %%
lab.registry.push("shop/web:3.1.0", error_rate=0.3)
text = shop.read("base/web.yaml")
bad = shop.commit({"base/web.yaml": text.replace("web:2.0.0", "web:3.1.0")}, "Deliver web 3.1.0")
lab.run("5m")
shop.revert(bad)
lab.run("5m")
staging.users("web")

# %% [markdown]
# One picture has both: 3.0.0 hung for a quarter of an hour and cost nothing, 3.1.0 went out smoothly
# and cost the whole budget within two minutes. Probes protect users from what does not start. From
# what works badly, only looking protects them, and a quick way back.

# %%
seen = staging.users("web")
assert seen.series.versions == ["1.4.0", "2.0.0", "3.1.0"]
assert [rollout.version for rollout in seen.rollouts if rollout.stuck] == ["3.0.0"]

# %% [markdown]
# ## 6. Your turn: make it stay
#
# The shop expects a busy evening. Staging needs **three** pods of `cart`, and it must keep them.
# Any way that lasts is right. Check as often as you like.

# %% tags=["answer"]
# Your change goes here.

# %% tags=["check"]
lab.check("E00.1")

# %% [markdown]
# Stuck? Each run of the next cell helps a little more; the fourth shows the solution.

# %% tags=["hint"]
lab.check("E00.1").hint()

# %% [markdown]
# ## 7. What it is called
#
# | You saw | Name | Where to read on |
# | --- | --- | --- |
# | files that describe what should run | desired state, *declarative* | [OpenGitOps principles](https://opengitops.dev/) |
# | a commit that everyone can find again | *versioned and immutable* | the same |
# | Flux looked by itself, every minute | *pulled automatically*, `spec.interval` | [Flux: Kustomization](https://fluxcd.io/flux/components/kustomize/kustomizations/) |
# | the edit was taken back | drift, *continuously reconciled* | the same |
# | a pod that gets no requests yet | readiness probe | [Configure probes](https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/) |
# | a commit that undoes a commit | rolling back by `git revert` | OpenGitOps principles |
# | who set which field | field manager | [Server-side apply](https://kubernetes.io/docs/reference/using-api/server-side-apply/) |
#
# From Flux's resource down to the pods, this is what you have been running:

# %%
lab.compare(staging).tree()
