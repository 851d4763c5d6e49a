from django.urls import path

from entries import views

urlpatterns = [
    path("", views.index, name="index"),
    path("entries/", views.create, name="create"),
    path("api/entries", views.api, name="api"),
]
