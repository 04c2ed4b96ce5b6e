#!/bin/sh
echo app starting; exec httpd -f -p 80 -h /srv
