-- MySQL dump
CREATE TABLE x (y int);
