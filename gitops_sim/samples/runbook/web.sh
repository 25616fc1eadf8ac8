create namespace shop
create configmap menu -n shop --from-literal=soup=tomato
label configmap menu -n shop season=winter
create deployment web -n shop --image=shop/web:1.0.0
wait deployment/web -n shop --for=condition=Available --timeout=2m
set image deployment/web -n shop web=shop/web:1.1.0
label deployment web -n shop tier=front
scale deployment web -n shop --replicas=2
rollout status deployment/web -n shop
