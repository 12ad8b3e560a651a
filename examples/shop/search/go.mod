module example.shop/search

go 1.24
