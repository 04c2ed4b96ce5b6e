cd /srv
docker-compose up -d
apt install docker
/usr/bin/docker exec -it web sh
env DOCKER_HOST=tcp://10.0.0.5:2375 docker ps
#1700000600
docker run -e API_TOKEN=abc web sh -c 'echo a
echo b'
docker stop web
#1700000700
curl --unix-socket /run/docker.sock http://localhost/images/json
