module example/movepod

go 1.19
