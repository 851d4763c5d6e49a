from django import forms

from entries.models import Entry


class EntryForm(forms.ModelForm):
    class Meta:
        model = Entry
        fields = ["author", "text", "photo"]
        widgets = {
            "author": forms.TextInput(attrs={"autocomplete": "name", "placeholder": "Ada Lovelace"}),
            "text": forms.Textarea(attrs={"rows": 4, "placeholder": "It was lovely here."}),
            "photo": forms.FileInput(attrs={"accept": "image/*"}),
        }
