#1795298332
docker load -i /opt/harbor/img29/bbsmall.tar
#1795298332
docker import --change 'CMD ["/hello"]' -m 'tiny import' /opt/harbor/img29/tiny.tar lab/tinyimport:1
#1795298333
docker load -i /opt/harbor/img29/ocismall.tar
#1795298333
docker tag lab/busybox:1.35 127.0.0.1:5000/lab/busybox:1.35
#1795298333
docker login -u alice --password-stdin 127.0.0.1:5000
#1795298333
docker push 127.0.0.1:5000/lab/busybox:1.35
#1795298333
docker tag example.com/lab/ocismall:1.0 127.0.0.1:5000/lab/oci:1.0
#1795298333
docker push 127.0.0.1:5000/lab/oci:1.0
#1795298334
docker rmi 127.0.0.1:5000/lab/oci:1.0
#1795298334
docker pull 127.0.0.1:5000/lab/oci:1.0
#1795298334
docker tag lab/busybox:1.35 lab/doomed:1
#1795298334
docker build --build-arg BUILD_ARG=x42 -t lab/web:classic /srv/build
#1795298340
docker build --progress=plain --build-arg TOKEN=ghp_labtoken000 --secret id=tok,src=/root/tok -f /srv/build/Dockerfile.bk -t lab/web:buildkit /srv/build
#1795298344
docker build --progress=plain -f /srv/build/Dockerfile.fail -t lab/never:1 /srv/build
#1795298345
docker build -f /srv/build/Dockerfile.fail -t lab/never:2 /srv/build
#1795298346
docker network create --subnet 172.31.77.0/24 --gateway 172.31.77.1 --label team=blue app_net
#1795298346
docker network create --internal --opt com.docker.network.bridge.name=br-iso isolated
#1795298346
docker network create tmp_net
#1795298346
docker network create -d macvlan --subnet 192.0.2.0/24 -o parent=dummy0 mv_net
#1795298346
docker volume create --label env=prod pgdata
#1795298346
docker volume create oldvol
#1795298346
docker volume create keepvol
#1795298346
docker volume create --driver local --opt type=tmpfs --opt device=tmpfs --opt o=size=2m tmpvol
#1795298346
docker volume create --driver local --opt type=none --opt o=bind --opt device=/srv/app bindvol
#1795298346
docker volume create --driver local --opt type=cifs --opt device=//10.0.0.9/share --opt o=addr=10.0.0.9,username=svc,password=LabPw1 cifsvol
#1795298346
docker run -d --name web --hostname web01 --label tier=front --label owner=alice -e DB_PASSWORD=hunter2 -e MODE=prod -p 127.0.0.1:8080:80 -p 8443:443/udp -v /srv/app:/etc/app:ro -v pgdata:/data --restart always --network app_net --ip 172.31.77.10 --network-alias frontend --log-opt labels=tier,owner --log-opt env=MODE --log-opt 'tag={{.Name}}/{{.ID}}' lab/web:classic
#1795298346
docker run -d --name logrot --log-opt max-size=20k --log-opt max-file=4 --log-opt compress=true lab/busybox:1.35 sh -c 'i=0; while [ $i -lt 1500 ]; do i=$((i+1)); echo "line $i of rotation test abcdefghijklmnopqrstuvwxyz"; done'
#1795298347
docker run -d --name weirdlog lab/busybox:1.35 sh -c 'printf '"'"'first line\nException in thread main\n\tat a.b.C(C.java:1)\n\tat d.e.F\n'"'"'; printf '"'"'inv \377\376\200 bytes \303\050 end\n'"'"'; printf '"'"'\033[31mRED\033[0m \033]0;title\007 bell\007\n'"'"'; printf '"'"'nul\000inside\n'"'"'; printf '"'"'tab\tquote"back\\slash <html>&amp; \342\200\250 LS \360\237\220\263 whale\n'"'"'; head -c 40000 /dev/zero | tr '"'"'\0'"'"' '"'"'A'"'"'; echo; head -c 16384 /dev/zero | tr '"'"'\0'"'"' '"'"'B'"'"'; echo; head -c 16385 /dev/zero | tr '"'"'\0'"'"' '"'"'C'"'"'; echo; echo err-line >&2; printf '"'"'\r\ncrlf line\r\n'"'"'; echo; head -c 200000 /dev/zero | tr '"'"'\0'"'"' '"'"'D'"'"'; printf '"'"'\nunterminated tail'"'"'; printf '"'"'utf8 split:'"'"'; head -c 16371 /dev/zero | tr '"'"'\0'"'"' '"'"'E'"'"'; printf '"'"'\360\237\220\263\n'"'"' '
#1795298347
docker run -d --name ttylog -t lab/busybox:1.35 sh -c 'echo tty one; ls --color=always /; printf "no newline"'
#1795298348
docker run -d --name loclog --log-driver local --log-opt max-size=20k --log-opt max-file=3 lab/busybox:1.35 sh -c 'i=0; while [ $i -lt 800 ]; do i=$((i+1)); echo "local driver line $i"; done; echo to-stderr >&2; head -c 40000 /dev/zero | tr "\0" Z; echo'
