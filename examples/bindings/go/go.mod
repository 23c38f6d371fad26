module example/readenvelope

go 1.19
