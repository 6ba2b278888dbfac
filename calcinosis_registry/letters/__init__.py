"""Paper for one person: the page for the record, the letter to the referring doctor, the leaflet for the patient."""
