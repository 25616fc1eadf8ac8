create namespace market
create configmap prices -n market --from-literal=soup=4
label configmap prices -n market currency=euro
create deployment cart -n market --image=shop/cart:1.0.0
set image deployment/cart -n market cart=shop/cart:1.2.0
label deployment cart -n market tier=back
create job open-accounts -n market --image=shop/accounts:1.0.0
scale deployment cart -n market --replicas=3
rollout status deployment/cart -n market
