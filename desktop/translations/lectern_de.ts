<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE">
<context>
    <name>AboutAction</name>
    <message>
        <source>&amp;About Lectern</source>
        <translation>Ü&amp;ber Lectern</translation>
    </message>
    <message>
        <source>About Lectern</source>
        <translation>Über Lectern</translation>
    </message>
    <message>
        <source>unknown</source>
        <translation>unbekannt</translation>
    </message>
    <message>
        <source>Version {1}, licensed under Apache 2.0.

Lectern shows how the networks of a deep-learning course classify drawings, pictures and texts.

It connects to no other computer than its server. Training also downloads data sets and packages.

Log file: {0}</source>
        <translation>Version {1}, lizenziert unter Apache 2.0.

Lectern zeigt, wie die Netze einer Deep-Learning-Vorlesung Zeichnungen, Bilder und Texte klassifizieren.

Es verbindet sich mit keinem anderen Rechner als seinem Server. Das Training lädt außerdem Datensätze und Pakete herunter.

Protokolldatei: {0}</translation>
    </message>
</context>
<context>
    <name>ActivationPage</name>
    <message>
        <source>Activation</source>
        <translation>Aktivierung</translation>
    </message>
    <message>
        <source>Layer whose values are shown</source>
        <translation>Schicht, deren Werte gezeigt werden</translation>
    </message>
    <message>
        <source>as in the network</source>
        <translation>wie im Netz</translation>
    </message>
    <message>
        <source>Function</source>
        <translation>Funktion</translation>
    </message>
    <message>
        <source>Activation functions</source>
        <translation>Aktivierungsfunktionen</translation>
    </message>
    <message>
        <source>{0} values from {1} to {2} become values from {3} to {4}. {5} % are negative. Where the slope is less than {6}, hardly anything is learned: {7} %.</source>
        <translation>{0} Werte von {1} bis {2} werden zu Werten von {3} bis {4}. {5} % sind negativ. Wo die Steigung kleiner als {6} ist, wird kaum etwas gelernt: {7} %.</translation>
    </message>
    <message>
        <source>&amp;Function</source>
        <translation>&amp;Funktion</translation>
    </message>
</context>
<context>
    <name>AnswerView</name>
    <message>
        <source>Unsure, {0}</source>
        <translation>Unsicher, {0}</translation>
    </message>
    <message>
        <source>Several digits</source>
        <translation>Mehrere Ziffern</translation>
    </message>
</context>
<context>
    <name>Banner</name>
    <message>
        <source>&amp;Retry</source>
        <translation>&amp;Erneut versuchen</translation>
    </message>
    <message>
        <source>Predictions continue on this computer.</source>
        <translation>Vorhersagen werden auf diesem Rechner berechnet.</translation>
    </message>
</context>
<context>
    <name>Bars</name>
    <message>
        <source>Probabilities</source>
        <translation>Wahrscheinlichkeiten</translation>
    </message>
</context>
<context>
    <name>BlockForm</name>
    <message>
        <source>Stride</source>
        <translation>Schrittweite</translation>
    </message>
    <message>
        <source>Valid: none</source>
        <translation>Valid: keines</translation>
    </message>
    <message>
        <source>Same</source>
        <translation>Same</translation>
    </message>
    <message>
        <source>Custom</source>
        <translation>Eigenes</translation>
    </message>
    <message>
        <source>Padding</source>
        <translation>Padding</translation>
    </message>
    <message>
        <source>Zeros at each edge</source>
        <translation>Nullen an jeder Kante</translation>
    </message>
    <message>
        <source>Dilation</source>
        <translation>Dilatation</translation>
    </message>
    <message>
        <source>&amp;Depthwise: each filter on each slice</source>
        <translation>&amp;Tiefenweise: jeder Filter auf jede Schicht</translation>
    </message>
    <message>
        <source>&amp;ReLU: max(0, x)</source>
        <translation>&amp;ReLU: max(0, x)</translation>
    </message>
    <message>
        <source>Maps after a 1 × 1 convolution</source>
        <translation>Karten nach einer 1 × 1-Faltung</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Keines</translation>
    </message>
    <message>
        <source>Maximum</source>
        <translation>Maximum</translation>
    </message>
    <message>
        <source>Average</source>
        <translation>Mittelwert</translation>
    </message>
    <message>
        <source>Pooling</source>
        <translation>Pooling</translation>
    </message>
    <message>
        <source>Size of the pooling window</source>
        <translation>Größe des Pooling-Fensters</translation>
    </message>
    <message>
        <source>Di&amp;lation</source>
        <translation>Di&amp;latation</translation>
    </message>
    <message>
        <source>&amp;Stride</source>
        <translation>&amp;Schrittweite</translation>
    </message>
    <message>
        <source>Pa&amp;dding</source>
        <translation>Pa&amp;dding</translation>
    </message>
    <message>
        <source>Then &amp;1 × 1, maps</source>
        <translation>Danach &amp;1 × 1, Karten</translation>
    </message>
    <message>
        <source>P&amp;ooling</source>
        <translation>P&amp;ooling</translation>
    </message>
</context>
<context>
    <name>Camera</name>
    <message>
        <source>Lectern may not use the webcam. Allow it in the settings of the system.</source>
        <translation>Lectern darf die Webcam nicht verwenden. Erlauben Sie es in den Einstellungen des Systems.</translation>
    </message>
    <message>
        <source>The webcam needs a further package. Install it: {0}</source>
        <translation>Die Webcam braucht ein weiteres Paket. Installieren Sie es: {0}</translation>
    </message>
    <message>
        <source>Qt’s multimedia module cannot be loaded ({0}). Install the missing library.</source>
        <translation>Das Multimedia-Modul von Qt kann nicht geladen werden ({0}). Installieren Sie die fehlende Bibliothek.</translation>
    </message>
    <message>
        <source>There is no webcam. Connect one, and try again.</source>
        <translation>Es gibt keine Webcam. Schließen Sie eine an, und versuchen Sie es noch einmal.</translation>
    </message>
    <message>
        <source>The webcam cannot be used ({0}). Close other programs that use it.</source>
        <translation>Die Webcam kann nicht verwendet werden ({0}). Schließen Sie andere Programme, die sie verwenden.</translation>
    </message>
    <message>
        <source>The webcam was disconnected. Connect it, and try again.</source>
        <translation>Die Webcam wurde getrennt. Schließen Sie sie an, und versuchen Sie es noch einmal.</translation>
    </message>
</context>
<context>
    <name>Canvas</name>
    <message>
        <source>Erase</source>
        <translation>Radieren</translation>
    </message>
    <message>
        <source>Stroke</source>
        <translation>Strich</translation>
    </message>
    <message>
        <source>Clear</source>
        <translation>Leeren</translation>
    </message>
    <message>
        <source>Show drawing</source>
        <translation>Zeichnung zeigen</translation>
    </message>
</context>
<context>
    <name>CardDialog</name>
    <message>
        <source>About this model</source>
        <translation>Über dieses Modell</translation>
    </message>
    <message>
        <source>{0} of {1} test examples</source>
        <translation>{0} von {1} Testbeispielen</translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation>Parameter</translation>
    </message>
    <message>
        <source>Accuracy</source>
        <translation>Genauigkeit</translation>
    </message>
    <message>
        <source>Unsure below</source>
        <translation>Unsicher unter</translation>
    </message>
    <message>
        <source>Training</source>
        <translation>Training</translation>
    </message>
    <message>
        <source>{0} epochs on {1}</source>
        <translation>{0} Epochen auf {1}</translation>
    </message>
    <message>
        <source>Layers</source>
        <translation>Schichten</translation>
    </message>
    <message>
        <source>Training curves</source>
        <translation>Trainingskurven</translation>
    </message>
    <message>
        <source>Confusion matrix</source>
        <translation>Konfusionsmatrix</translation>
    </message>
    <message>
        <source>version {0}</source>
        <translation>Version {0}</translation>
    </message>
</context>
<context>
    <name>CardViewer</name>
    <message>
        <source>About this &amp;model…</source>
        <translation>Über dieses &amp;Modell …</translation>
    </message>
</context>
<context>
    <name>Comparison</name>
    <message>
        <source>Version to compare with</source>
        <translation>Vergleichsversion</translation>
    </message>
    <message>
        <source>Compare &amp;versions</source>
        <translation>&amp;Versionen vergleichen</translation>
    </message>
    <message>
        <source>Version {0}</source>
        <translation>Version {0}</translation>
    </message>
</context>
<context>
    <name>ConfusionDialog</name>
    <message>
        <source>Confusion matrix</source>
        <translation>Konfusionsmatrix</translation>
    </message>
    <message>
        <source>Click a cell to see its pictures.</source>
        <translation>Klicken Sie ein Feld an, um seine Bilder zu sehen.</translation>
    </message>
    <message>
        <source>Pictures of the cell</source>
        <translation>Bilder des Feldes</translation>
    </message>
    <message>
        <source>{0} predicted as {1}: {2}</source>
        <translation>{0}, vorhergesagt als {1}: {2}</translation>
    </message>
    <message>
        <source>{0} of {1} pictures are classified correctly: {2}</source>
        <translation>{0} von {1} Bildern sind richtig klassifiziert: {2}</translation>
    </message>
    <message>
        <source>Rows: true labels. Columns: predicted labels.</source>
        <translation>Zeilen: wahre Klassen. Spalten: vorhergesagte Klassen.</translation>
    </message>
    <message>
        <source>&amp;Save as PNG…</source>
        <translation>Als PNG &amp;speichern …</translation>
    </message>
</context>
<context>
    <name>ConfusionView</name>
    <message>
        <source>Confusion matrix</source>
        <translation>Konfusionsmatrix</translation>
    </message>
    <message>
        <source>{0} predicted as {1}: {2}</source>
        <translation>{0}, vorhergesagt als {1}: {2}</translation>
    </message>
</context>
<context>
    <name>ConvolutionPage</name>
    <message>
        <source>Convolution</source>
        <translation>Faltung</translation>
    </message>
    <message>
        <source>Example of the lecture</source>
        <translation>Beispiel der Vorlesung</translation>
    </message>
    <message>
        <source>There is no output without a valid kernel.</source>
        <translation>Ohne gültigen Kern gibt es keine Ausgabe.</translation>
    </message>
    <message>
        <source>The window is larger than its input. Choose a smaller window or more padding.</source>
        <translation>Das Fenster ist größer als seine Eingabe. Wählen Sie ein kleineres Fenster oder mehr Auffüllung.</translation>
    </message>
    <message>
        <source>Example: edges</source>
        <translation>Beispiel: Kanten</translation>
    </message>
    <message>
        <source>AlexNet: 227, 11, 4 → 55</source>
        <translation>AlexNet: 227, 11, 4 → 55</translation>
    </message>
    <message>
        <source>Dilated by 2</source>
        <translation>Dilatation 2</translation>
    </message>
    <message>
        <source>Depthwise, then 1 × 1</source>
        <translation>Tiefenweise, danach 1 × 1</translation>
    </message>
    <message>
        <source>Bottleneck: 32 → 4 maps</source>
        <translation>Engpass: 32 → 4 Karten</translation>
    </message>
    <message>
        <source>1 × 1: colour to grey</source>
        <translation>1 × 1: Farbe zu Grau</translation>
    </message>
</context>
<context>
    <name>ConvolutionView</name>
    <message>
        <source>Input</source>
        <translation>Eingabe</translation>
    </message>
    <message>
        <source>Output</source>
        <translation>Ausgabe</translation>
    </message>
    <message>
        <source>Output maps</source>
        <translation>Karten der Ausgabe</translation>
    </message>
    <message>
        <source>Convolution: {0}</source>
        <translation>Faltung: {0}</translation>
    </message>
    <message>
        <source>Pooling: {0}</source>
        <translation>Pooling: {0}</translation>
    </message>
    <message>
        <source>Dilated kernel: {0}</source>
        <translation>Gedehnter Kern: {0}</translation>
    </message>
    <message>
        <source>Parameters: {0}</source>
        <translation>Parameter: {0}</translation>
    </message>
    <message>
        <source>1 × 1: {0}; together {1}</source>
        <translation>1 × 1: {0}; zusammen {1}</translation>
    </message>
    <message>
        <source>{0} × {1} values from {2} (blue) to {3} (orange); grey is 0</source>
        <translation>{0} × {1} Werte von {2} (blau) bis {3} (orange); grau ist 0</translation>
    </message>
    <message>
        <source>Row {0}, column {1}: {2}, from {3} × {3} pixels</source>
        <translation>Zeile {0}, Spalte {1}: {2}, aus {3} × {3} Pixeln</translation>
    </message>
    <message>
        <source>{0} × {1} values from {2} to {3}; black is 0</source>
        <translation>{0} × {1} Werte von {2} bis {3}; Schwarz ist 0</translation>
    </message>
</context>
<context>
    <name>CorrectionDialog</name>
    <message>
        <source>Correct the label</source>
        <translation>Klasse korrigieren</translation>
    </message>
    <message>
        <source>&amp;Choose…</source>
        <translation>&amp;Wählen …</translation>
    </message>
    <message>
        <source>{0} cannot be written ({1}). Choose another folder.</source>
        <translation>{0} lässt sich nicht schreiben ({1}). Wählen Sie einen anderen Ordner.</translation>
    </message>
    <message>
        <source>Choose a folder</source>
        <translation>Ordner wählen</translation>
    </message>
    <message>
        <source>The drawing is saved on this computer, to train a better network.</source>
        <translation>Die Zeichnung wird auf diesem Rechner gespeichert, um ein besseres Netz zu trainieren.</translation>
    </message>
    <message>
        <source>&amp;Folder</source>
        <translation>&amp;Ordner</translation>
    </message>
    <message>
        <source>Correct label</source>
        <translation>Richtige Klasse</translation>
    </message>
</context>
<context>
    <name>CrashDialog</name>
    <message>
        <source>Something went wrong</source>
        <translation>Etwas ist schiefgegangen</translation>
    </message>
    <message>
        <source>An internal error occurred. Your drawing is not lost. Please send this report to the developers; it is also in {0}.</source>
        <translation>Ein interner Fehler ist aufgetreten. Ihre Zeichnung ist nicht verloren. Bitte senden Sie diesen Bericht an die Entwickler; er steht auch in {0}.</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Bericht</translation>
    </message>
    <message>
        <source>&amp;Copy report</source>
        <translation>Bericht &amp;kopieren</translation>
    </message>
</context>
<context>
    <name>DimensionsPage</name>
    <message>
        <source>1-D and 3-D</source>
        <translation>1-D und 3-D</translation>
    </message>
    <message>
        <source>Word</source>
        <translation>Wort</translation>
    </message>
    <message>
        <source>Sound</source>
        <translation>Ton</translation>
    </message>
    <message>
        <source>Curve</source>
        <translation>Kurve</translation>
    </message>
    <message>
        <source>Mean</source>
        <translation>Mittel</translation>
    </message>
    <message>
        <source>Gauss</source>
        <translation>Gauß</translation>
    </message>
    <message>
        <source>Slope</source>
        <translation>Steigung</translation>
    </message>
    <message>
        <source>Peaks</source>
        <translation>Spitzen</translation>
    </message>
    <message>
        <source>Kernel of the curve</source>
        <translation>Kern der Kurve</translation>
    </message>
    <message>
        <source>Size of the kernel</source>
        <translation>Größe des Kerns</translation>
    </message>
    <message>
        <source>Input curve</source>
        <translation>Kurve der Eingabe</translation>
    </message>
    <message>
        <source>Output curve</source>
        <translation>Kurve der Ausgabe</translation>
    </message>
    <message>
        <source>Difference over time</source>
        <translation>Unterschied über die Zeit</translation>
    </message>
    <message>
        <source>Mean over time</source>
        <translation>Mittel über die Zeit</translation>
    </message>
    <message>
        <source>Edges in each slice</source>
        <translation>Kanten in jeder Schicht</translation>
    </message>
    <message>
        <source>Blur in all directions</source>
        <translation>Weichzeichnen in alle Richtungen</translation>
    </message>
    <message>
        <source>Kernel of the slices</source>
        <translation>Kern der Schichten</translation>
    </message>
    <message>
        <source>Slices</source>
        <translation>Schichten</translation>
    </message>
    <message>
        <source>Input</source>
        <translation>Eingabe</translation>
    </message>
    <message>
        <source>Output</source>
        <translation>Ausgabe</translation>
    </message>
    <message>
        <source>Input {0}, kernel 3 × 3 × 3 with {1} parameters (27 weights and a bias), output {2}.</source>
        <translation>Eingabe {0}, Kern 3 × 3 × 3 mit {1} Parametern (27 Gewichte und ein Bias), Ausgabe {2}.</translation>
    </message>
    <message>
        <source>The kernel is longer than the curve.</source>
        <translation>Der Kern ist länger als die Kurve.</translation>
    </message>
    <message>
        <source>Kernel: {0}</source>
        <translation>Kern: {0}</translation>
    </message>
    <message>
        <source>Word: a is 1, z is 26</source>
        <translation>Wort: a ist 1, z ist 26</translation>
    </message>
    <message>
        <source>One dimension: a curve</source>
        <translation>Eine Dimension: eine Kurve</translation>
    </message>
    <message>
        <source>&amp;Kernel</source>
        <translation>&amp;Kern</translation>
    </message>
    <message>
        <source>Three dimensions: slices that follow one another in time</source>
        <translation>Drei Dimensionen: Schichten, die zeitlich aufeinander folgen</translation>
    </message>
</context>
<context>
    <name>Doubt</name>
    <message>
        <source>Looks like nothing I know</source>
        <translation>Sieht nach nichts aus, was ich kenne</translation>
    </message>
    <message>
        <source>{0} or {1}?</source>
        <translation>{0} oder {1}?</translation>
    </message>
</context>
<context>
    <name>DrawPage</name>
    <message>
        <source>&amp;Undo</source>
        <translation>&amp;Rückgängig</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>&amp;Wiederholen</translation>
    </message>
    <message>
        <source>&amp;Eraser</source>
        <translation>R&amp;adierer</translation>
    </message>
    <message>
        <source>Erase ink (E)</source>
        <translation>Tinte radieren (E)</translation>
    </message>
    <message>
        <source>&amp;Replay the drawing…</source>
        <translation>Zeichnung noch einmal &amp;abspielen …</translation>
    </message>
    <message>
        <source>Correct the &amp;label…</source>
        <translation>Klasse &amp;korrigieren …</translation>
    </message>
    <message>
        <source>Brush size in percent of a digit&apos;s height</source>
        <translation>Pinselbreite in Prozent der Höhe einer Ziffer</translation>
    </message>
    <message>
        <source>&amp;Clear</source>
        <translation>&amp;Leeren</translation>
    </message>
    <message>
        <source>Draw</source>
        <translation>Zeichnen</translation>
    </message>
    <message>
        <source>Draw a digit</source>
        <translation>Zeichnen Sie eine Ziffer</translation>
    </message>
    <message>
        <source>&amp;Brush</source>
        <translation>&amp;Pinsel</translation>
    </message>
    <message>
        <source>Lines too thick: make them &amp;thinner</source>
        <translation>Linien zu dick: &amp;dünner zeichnen</translation>
    </message>
    <message>
        <source>Wide lines close the holes of a small digit, and the network misreads it.</source>
        <translation>Dicke Linien schließen die Löcher einer kleinen Ziffer, und das Netz liest sie falsch.</translation>
    </message>
</context>
<context>
    <name>ExampleInput</name>
    <message>
        <source>Draw an example</source>
        <translation>Ein Beispiel zeichnen</translation>
    </message>
    <message>
        <source>Starting the webcam…</source>
        <translation>Die Webcam wird gestartet…</translation>
    </message>
    <message>
        <source>Webcam</source>
        <translation>Webcam</translation>
    </message>
    <message>
        <source>Picture of the webcam</source>
        <translation>Bild der Webcam</translation>
    </message>
    <message>
        <source>&amp;Add the picture</source>
        <translation>Bild hin&amp;zufügen</translation>
    </message>
    <message>
        <source>&amp;Add the drawing</source>
        <translation>&amp;Zeichnung hinzufügen</translation>
    </message>
    <message>
        <source>Hold it down to take many pictures</source>
        <translation>Gedrückt halten, um viele Bilder aufzunehmen</translation>
    </message>
    <message>
        <source>Label, such as A</source>
        <translation>Klasse, etwa A</translation>
    </message>
    <message>
        <source>&amp;Webcam</source>
        <translation>&amp;Webcam</translation>
    </message>
    <message>
        <source>Clea&amp;r</source>
        <translation>Lee&amp;ren</translation>
    </message>
    <message>
        <source>&amp;Label</source>
        <translation>K&amp;lasse</translation>
    </message>
</context>
<context>
    <name>ExampleList</name>
    <message>
        <source>Labels</source>
        <translation>Klassen</translation>
    </message>
    <message>
        <source>Examples</source>
        <translation>Beispiele</translation>
    </message>
    <message>
        <source>&amp;Remove</source>
        <translation>&amp;Entfernen</translation>
    </message>
</context>
<context>
    <name>ExplanationDock</name>
    <message>
        <source>Explanation</source>
        <translation>Erklärung</translation>
    </message>
    <message>
        <source>&amp;Explanation</source>
        <translation>&amp;Erklärung</translation>
    </message>
    <message>
        <source>Show which pixels decided the prediction</source>
        <translation>Zeigen, welche Pixel die Vorhersage bestimmen</translation>
    </message>
</context>
<context>
    <name>ExplanationPanel</name>
    <message>
        <source>Heat map</source>
        <translation>Heatmap</translation>
    </message>
    <message>
        <source>A network without convolutional layers has no feature maps.</source>
        <translation>Ein Netz ohne Faltungsschichten hat keine Merkmalskarten.</translation>
    </message>
    <message>
        <source>Label to explain</source>
        <translation>Klasse, die erklärt wird</translation>
    </message>
    <message>
        <source>Bright pixels contribute to {0}.</source>
        <translation>Helle Pixel tragen zu {0} bei.</translation>
    </message>
    <message>
        <source>No pixel contributes to {0}.</source>
        <translation>Kein Pixel trägt zu {0} bei.</translation>
    </message>
    <message>
        <source>Heat maps are not available for texts.</source>
        <translation>Für Texte gibt es keine Heatmap.</translation>
    </message>
    <message>
        <source>This network was exported without explanations. Export it again.</source>
        <translation>Dieses Netz wurde ohne Erklärungen exportiert. Exportieren Sie es noch einmal.</translation>
    </message>
    <message>
        <source>This network is not on this computer, where explanations are computed.</source>
        <translation>Dieses Netz liegt nicht auf diesem Rechner. Nur hier werden Erklärungen berechnet.</translation>
    </message>
    <message>
        <source>Why {0}?</source>
        <translation>Warum {0}?</translation>
    </message>
    <message>
        <source>{0} parameters</source>
        <translation>{0} Parameter</translation>
    </message>
    <message>
        <source>Why this prediction?</source>
        <translation>Warum diese Vorhersage?</translation>
    </message>
    <message>
        <source>Why this prediction: {0}?</source>
        <translation>Warum diese Vorhersage: {0}?</translation>
    </message>
    <message>
        <source>The heat map appears with the next prediction.</source>
        <translation>Die Heatmap erscheint mit der nächsten Vorhersage.</translation>
    </message>
</context>
<context>
    <name>Exporter</name>
    <message>
        <source>PNG picture (*.png)</source>
        <translation>PNG-Bild (*.png)</translation>
    </message>
    <message>
        <source>JSON (*.json)</source>
        <translation>JSON (*.json)</translation>
    </message>
    <message>
        <source>CSV (*.csv)</source>
        <translation>CSV (*.csv)</translation>
    </message>
    <message>
        <source>&amp;Copy picture</source>
        <translation>Bild &amp;kopieren</translation>
    </message>
    <message>
        <source>Copy &amp;network input</source>
        <translation>&amp;Netzeingabe kopieren</translation>
    </message>
    <message>
        <source>Copy re&amp;sult</source>
        <translation>&amp;Ergebnis kopieren</translation>
    </message>
    <message>
        <source>&amp;Save picture…</source>
        <translation>Bild &amp;speichern …</translation>
    </message>
    <message>
        <source>drawing</source>
        <translation>zeichnung</translation>
    </message>
    <message>
        <source>Save &amp;network input…</source>
        <translation>&amp;Netzeingabe speichern …</translation>
    </message>
    <message>
        <source>network input</source>
        <translation>Netzeingabe</translation>
    </message>
    <message>
        <source>Save &amp;result…</source>
        <translation>&amp;Ergebnis speichern …</translation>
    </message>
    <message>
        <source>result</source>
        <translation>ergebnis</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Speichern</translation>
    </message>
    <message>
        <source>{0} cannot be written ({1}). Choose another folder.</source>
        <translation>{0} lässt sich nicht schreiben ({1}). Wählen Sie einen anderen Ordner.</translation>
    </message>
    <message>
        <source>Not saved</source>
        <translation>Nicht gespeichert</translation>
    </message>
</context>
<context>
    <name>FeatureMapModel</name>
    <message>
        <source>Feature map {0} of {1}, strongest activation {2}</source>
        <translation>Merkmalskarte {0} von {1}, stärkste Aktivierung {2}</translation>
    </message>
</context>
<context>
    <name>FeatureMapView</name>
    <message>
        <source>Layer of the feature maps</source>
        <translation>Schicht der Merkmalskarten</translation>
    </message>
    <message>
        <source>{0} {1} · {2} maps</source>
        <translation>{0} {1} · {2} Karten</translation>
    </message>
    <message>
        <source>{0} maps of {1} × {2}</source>
        <translation>{0} Karten zu {1} × {2}</translation>
    </message>
    <message>
        <source>Feature maps</source>
        <translation>Merkmalskarten</translation>
    </message>
    <message>
        <source>&amp;Layer</source>
        <translation>Schich&amp;t</translation>
    </message>
</context>
<context>
    <name>FilterStrip</name>
    <message>
        <source>Filters of the first layer</source>
        <translation>Filter der ersten Schicht</translation>
    </message>
    <message>
        <source>First layer after {0} epochs: {1} filters of {2} × {3}</source>
        <translation>Erste Schicht nach {0} Epochen: {1} Filter mit {2} × {3}</translation>
    </message>
</context>
<context>
    <name>FolderPage</name>
    <message>
        <source>There are no samples for this model.</source>
        <translation>Für dieses Modell gibt es keine Beispiele.</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>&amp;Choose a folder…</source>
        <translation>&amp;Ordner wählen …</translation>
    </message>
    <message>
        <source>C&amp;ancel</source>
        <translation>&amp;Abbrechen</translation>
    </message>
    <message>
        <source>&amp;Save as CSV…</source>
        <translation>Als CSV &amp;speichern …</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <source>Choose a folder</source>
        <translation>Ordner wählen</translation>
    </message>
    <message>
        <source>No model for pictures is available.</source>
        <translation>Es gibt kein Modell für Bilder.</translation>
    </message>
    <message>
        <source>Searching for pictures…</source>
        <translation>Bilder werden gesucht …</translation>
    </message>
    <message>
        <source>{0} files, {1} of them with errors</source>
        <translation>{0} Dateien, davon {1} mit Fehlern</translation>
    </message>
    <message>
        <source>This folder contains no pictures.</source>
        <translation>Dieser Ordner enthält keine Bilder.</translation>
    </message>
    <message>
        <source>These folders contain no pictures.</source>
        <translation>Diese Ordner enthalten keine Bilder.</translation>
    </message>
    <message>
        <source>Results of the files</source>
        <translation>Ergebnisse der Dateien</translation>
    </message>
    <message>
        <source>Cancelled after {0} of {1} files</source>
        <translation>Nach {0} von {1} Dateien abgebrochen</translation>
    </message>
    <message>
        <source>Classify a &amp;folder…</source>
        <translation>Einen &amp;Ordner klassifizieren …</translation>
    </message>
    <message>
        <source>{0} of {1} files</source>
        <translation>{0} von {1} Dateien</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>Confusion &amp;matrix…</source>
        <translation>Konfusions&amp;matrix …</translation>
    </message>
    <message>
        <source>Classify the samp&amp;les</source>
        <translation>&amp;Beispiele klassifizieren</translation>
    </message>
    <message>
        <source>Drop folders of pictures here, or choose one. Subfolders may be named after labels.</source>
        <translation>Ziehen Sie Ordner mit Bildern hierher, oder wählen Sie einen. Unterordner können nach Klassen benannt sein.</translation>
    </message>
    <message>
        <source>{0} of {1} correct by the names of the subfolders: {2}</source>
        <translation>{0} von {1} richtig nach den Namen der Unterordner: {2}</translation>
    </message>
</context>
<context>
    <name>HistoryStrip</name>
    <message>
        <source>Previous predictions</source>
        <translation>Frühere Vorhersagen</translation>
    </message>
    <message>
        <source>Predictions appear here. Click one to restore it.</source>
        <translation>Hier erscheinen Vorhersagen. Ein Klick stellt eine wieder her.</translation>
    </message>
    <message>
        <source>Version {0}</source>
        <translation>Version {0}</translation>
    </message>
</context>
<context>
    <name>Incoming</name>
    <message>
        <source>&amp;Paste</source>
        <translation>&amp;Einfügen</translation>
    </message>
</context>
<context>
    <name>InputPicker</name>
    <message>
        <source>Drawing</source>
        <translation>Zeichnung</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>Input of the lab</source>
        <translation>Eingabe des Labors</translation>
    </message>
    <message>
        <source>&amp;Clear</source>
        <translation>&amp;Leeren</translation>
    </message>
    <message>
        <source>Open a &amp;picture…</source>
        <translation>&amp;Bild öffnen …</translation>
    </message>
    <message>
        <source>Size that the picture is scaled to</source>
        <translation>Größe, auf die das Bild skaliert wird</translation>
    </message>
    <message>
        <source>Colo&amp;ur: depth 3</source>
        <translation>&amp;Farbe: Tiefe 3</translation>
    </message>
    <message>
        <source>Only {0} was opened. Drop one picture at a time.</source>
        <translation>Nur {0} wurde geöffnet. Ziehen Sie ein Bild nach dem anderen hierher.</translation>
    </message>
    <message>
        <source>Draw something</source>
        <translation>Zeichnen Sie etwas</translation>
    </message>
    <message>
        <source>Open a picture</source>
        <translation>Bild öffnen</translation>
    </message>
    <message>
        <source>Preprocessed like a digit: 28 × 28</source>
        <translation>Vorverarbeitet wie eine Ziffer: 28 × 28</translation>
    </message>
</context>
<context>
    <name>KernelEditor</name>
    <message>
        <source>Kernel</source>
        <translation>Kernel</translation>
    </message>
    <message>
        <source>Size of the kernel</source>
        <translation>Größe des Kernels</translation>
    </message>
    <message>
        <source>Number of filters</source>
        <translation>Anzahl der Filter</translation>
    </message>
    <message>
        <source>Filter that is shown</source>
        <translation>Angezeigter Filter</translation>
    </message>
    <message>
        <source>Slice that is shown</source>
        <translation>Angezeigte Schicht</translation>
    </message>
    <message>
        <source>Filter of {0}, version {1}</source>
        <translation>Filter von {0}, Version {1}</translation>
    </message>
    <message>
        <source> of {0}</source>
        <translation> von {0}</translation>
    </message>
    <message>
        <source>The filters of this network are too large for the lab.</source>
        <translation>Die Filter dieses Netzes sind zu groß für das Labor.</translation>
    </message>
    <message>
        <source>Row {0}, column {1}: “{2}” is not a number. Enter one such as -1, 0.5 or 1/9.</source>
        <translation>Zeile {0}, Spalte {1}: „{2}“ ist keine Zahl. Geben Sie eine ein wie -1, 0.5 oder 1/9.</translation>
    </message>
    <message>
        <source>Identity</source>
        <translation>Identität</translation>
    </message>
    <message>
        <source>Box blur</source>
        <translation>Mittelwertfilter</translation>
    </message>
    <message>
        <source>Gaussian blur</source>
        <translation>Gauß-Filter</translation>
    </message>
    <message>
        <source>Sharpen</source>
        <translation>Schärfen</translation>
    </message>
    <message>
        <source>Sobel x (vertical edges)</source>
        <translation>Sobel x (senkrechte Kanten)</translation>
    </message>
    <message>
        <source>Sobel y (horizontal edges)</source>
        <translation>Sobel y (waagrechte Kanten)</translation>
    </message>
    <message>
        <source>Laplacian</source>
        <translation>Laplace-Filter</translation>
    </message>
    <message>
        <source>Emboss</source>
        <translation>Relief</translation>
    </message>
    <message>
        <source>Custom</source>
        <translation>Eigener</translation>
    </message>
    <message>
        <source>All slices</source>
        <translation>Alle Schichten</translation>
    </message>
    <message>
        <source>Red</source>
        <translation>Rot</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>Grün</translation>
    </message>
    <message>
        <source>Blue</source>
        <translation>Blau</translation>
    </message>
    <message>
        <source>Bias of the filter</source>
        <translation>Bias des Filters</translation>
    </message>
    <message>
        <source>&amp;Kernel</source>
        <translation>&amp;Kern</translation>
    </message>
    <message>
        <source>Si&amp;ze</source>
        <translation>&amp;Größe</translation>
    </message>
    <message>
        <source>&amp;Filters</source>
        <translation>&amp;Filter</translation>
    </message>
    <message>
        <source>&amp;Bias</source>
        <translation>&amp;Bias</translation>
    </message>
</context>
<context>
    <name>KernelGrid</name>
    <message>
        <source>Weight in row {0}, column {1}</source>
        <translation>Gewicht in Zeile {0}, Spalte {1}</translation>
    </message>
    <message>
        <source>Divisor of the kernel</source>
        <translation>Teiler des Kerns</translation>
    </message>
    <message>
        <source>d&amp;ivided by</source>
        <translation>&amp;geteilt durch</translation>
    </message>
</context>
<context>
    <name>LabPage</name>
    <message>
        <source>Lab</source>
        <translation>Labor</translation>
    </message>
</context>
<context>
    <name>Labels</name>
    <message>
        <source>airplane</source>
        <translation>Flugzeug</translation>
    </message>
    <message>
        <source>automobile</source>
        <translation>Auto</translation>
    </message>
    <message>
        <source>bird</source>
        <translation>Vogel</translation>
    </message>
    <message>
        <source>cat</source>
        <translation>Katze</translation>
    </message>
    <message>
        <source>deer</source>
        <translation>Hirsch</translation>
    </message>
    <message>
        <source>dog</source>
        <translation>Hund</translation>
    </message>
    <message>
        <source>frog</source>
        <translation>Frosch</translation>
    </message>
    <message>
        <source>horse</source>
        <translation>Pferd</translation>
    </message>
    <message>
        <source>ship</source>
        <translation>Schiff</translation>
    </message>
    <message>
        <source>truck</source>
        <translation>Lastwagen</translation>
    </message>
    <message>
        <source>T-shirt/top</source>
        <translation>T-Shirt/Top</translation>
    </message>
    <message>
        <source>Trouser</source>
        <translation>Hose</translation>
    </message>
    <message>
        <source>Pullover</source>
        <translation>Pullover</translation>
    </message>
    <message>
        <source>Dress</source>
        <translation>Kleid</translation>
    </message>
    <message>
        <source>Coat</source>
        <translation>Mantel</translation>
    </message>
    <message>
        <source>Sandal</source>
        <translation>Sandale</translation>
    </message>
    <message>
        <source>Shirt</source>
        <translation>Hemd</translation>
    </message>
    <message>
        <source>Sneaker</source>
        <translation>Turnschuh</translation>
    </message>
    <message>
        <source>Bag</source>
        <translation>Tasche</translation>
    </message>
    <message>
        <source>Ankle boot</source>
        <translation>Stiefelette</translation>
    </message>
    <message>
        <source>negative</source>
        <translation>negativ</translation>
    </message>
    <message>
        <source>positive</source>
        <translation>positiv</translation>
    </message>
</context>
<context>
    <name>LayerTable</name>
    <message>
        <source>Layers of the network</source>
        <translation>Schichten des Netzes</translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <source>Output</source>
        <translation>Ausgabe</translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation>Parameter</translation>
    </message>
    <message>
        <source>Type</source>
        <translation>Typ</translation>
    </message>
</context>
<context>
    <name>LayerTypes</name>
    <message>
        <source>Activation</source>
        <translation>Aktivierung</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Summe</translation>
    </message>
    <message>
        <source>Average pooling</source>
        <translation>Mittelwert-Pooling</translation>
    </message>
    <message>
        <source>Batch normalization</source>
        <translation>Batch-Normalisierung</translation>
    </message>
    <message>
        <source>Bidirectional GRU</source>
        <translation>Bidirektionale GRU</translation>
    </message>
    <message>
        <source>Concatenate</source>
        <translation>Verkettung</translation>
    </message>
    <message>
        <source>Convolution</source>
        <translation>Faltung</translation>
    </message>
    <message>
        <source>Dense</source>
        <translation>Dichte Schicht</translation>
    </message>
    <message>
        <source>Depthwise convolution</source>
        <translation>Faltung je Kanal</translation>
    </message>
    <message>
        <source>Dropout</source>
        <translation>Dropout</translation>
    </message>
    <message>
        <source>Flatten</source>
        <translation>Glätten</translation>
    </message>
    <message>
        <source>Global average pooling</source>
        <translation>Globales Mittelwert-Pooling</translation>
    </message>
    <message>
        <source>Global max pooling</source>
        <translation>Globales Max-Pooling</translation>
    </message>
    <message>
        <source>Input</source>
        <translation>Eingabe</translation>
    </message>
    <message>
        <source>Max pooling</source>
        <translation>Max-Pooling</translation>
    </message>
    <message>
        <source>Multiply</source>
        <translation>Produkt</translation>
    </message>
    <message>
        <source>ReLU</source>
        <translation>ReLU</translation>
    </message>
    <message>
        <source>Rescaling</source>
        <translation>Skalierung</translation>
    </message>
    <message>
        <source>Reshape</source>
        <translation>Umformung</translation>
    </message>
    <message>
        <source>Resizing</source>
        <translation>Größenänderung</translation>
    </message>
    <message>
        <source>Softmax</source>
        <translation>Softmax</translation>
    </message>
    <message>
        <source>Word sum</source>
        <translation>Wortsumme</translation>
    </message>
    <message>
        <source>Mixture by length</source>
        <translation>Mischung nach Länge</translation>
    </message>
    <message>
        <source>Max pooling of words</source>
        <translation>Max-Pooling von Wörtern</translation>
    </message>
    <message>
        <source>Mean over words</source>
        <translation>Mittel über die Wörter</translation>
    </message>
    <message>
        <source>Word embedding</source>
        <translation>Worteinbettung</translation>
    </message>
    <message>
        <source>Zero padding</source>
        <translation>Auffüllen mit Nullen</translation>
    </message>
</context>
<context>
    <name>LearnedFilterBox</name>
    <message>
        <source>Number of the network&apos;s filter</source>
        <translation>Nummer des Filters im Netz</translation>
    </message>
    <message>
        <source>No. </source>
        <translation>Nr. </translation>
    </message>
    <message>
        <source> of {0}</source>
        <translation> von {0}</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Second window, not remembered</source>
        <translation>Zweites Fenster, wird nicht gespeichert</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Beenden</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>&amp;Datei</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>&amp;Bearbeiten</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>&amp;Ansicht</translation>
    </message>
    <message>
        <source>&amp;Colours</source>
        <translation>&amp;Farben</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
    <message>
        <source>Clear &amp;history</source>
        <translation>&amp;Verlauf leeren</translation>
    </message>
</context>
<context>
    <name>MapDetailView</name>
    <message>
        <source>Map</source>
        <translation>Karte</translation>
    </message>
    <message>
        <source>Input of the network</source>
        <translation>Eingabe des Netzes</translation>
    </message>
    <message>
        <source>Inputs of the map</source>
        <translation>Eingaben der Karte</translation>
    </message>
    <message>
        <source>{0}, map {1} of {2}</source>
        <translation>{0}, Karte {1} von {2}</translation>
    </message>
    <message>
        <source>Weights</source>
        <translation>Gewichte</translation>
    </message>
    <message>
        <source>Kernels</source>
        <translation>Kerne</translation>
    </message>
    <message>
        <source>Products</source>
        <translation>Produkte</translation>
    </message>
    <message>
        <source>{0} × {1} values from {2} to {3}</source>
        <translation>{0} × {1} Werte von {2} bis {3}</translation>
    </message>
    <message>
        <source>Row {0}, column {1}, from {2} × {2} pixels of the input</source>
        <translation>Zeile {0}, Spalte {1}, aus {2} × {2} Pixeln der Eingabe</translation>
    </message>
</context>
<context>
    <name>Messages</name>
    <message>
        <source>Nothing stands out on this picture. Choose one with visible content.</source>
        <translation>Auf diesem Bild hebt sich nichts ab. Wählen Sie eines mit sichtbarem Inhalt.</translation>
    </message>
    <message>
        <source>This is too faint. Use a darker pen or more light.</source>
        <translation>Das ist zu blass. Nehmen Sie einen dunkleren Stift oder mehr Licht.</translation>
    </message>
    <message>
        <source>This file is damaged or not a picture. Use PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF or HEIC.</source>
        <translation>Diese Datei ist beschädigt oder kein Bild. Verwenden Sie PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF oder HEIC.</translation>
    </message>
    <message>
        <source>The network knows none of these words. Write in English.</source>
        <translation>Das Netz kennt keines dieser Wörter. Schreiben Sie auf Englisch.</translation>
    </message>
    <message>
        <source>This is too large. Use a smaller picture or a shorter text.</source>
        <translation>Das ist zu groß. Nehmen Sie ein kleineres Bild oder einen kürzeren Text.</translation>
    </message>
    <message>
        <source>This model no longer exists. Choose another one.</source>
        <translation>Dieses Modell gibt es nicht mehr. Wählen Sie ein anderes.</translation>
    </message>
    <message>
        <source>The lines are too thick for the size of this digit. Write it larger, or with a thinner pen.</source>
        <translation>Die Linien sind zu dick für die Größe dieser Ziffer. Schreiben Sie sie größer oder mit einem dünneren Stift.</translation>
    </message>
    <message>
        <source>This picture shows several marks that are no number. Cut one digit out of it.</source>
        <translation>Dieses Bild zeigt mehrere Zeichen, die keine Zahl sind. Schneiden Sie eine Ziffer aus.</translation>
    </message>
    <message>
        <source>{0} and {1} more</source>
        <translation>{0} und {1} weitere</translation>
    </message>
    <message>
        <source>Left out, because only pictures can be loaded: {0}</source>
        <translation>Ausgelassen, weil nur Bilder geladen werden können: {0}</translation>
    </message>
    <message>
        <source>Server</source>
        <translation>Server</translation>
    </message>
    <message>
        <source>This computer</source>
        <translation>Dieser Rechner</translation>
    </message>
    <message>
        <source>{server} requires a valid API key. Set it in Preferences.</source>
        <translation>{server} verlangt einen gültigen API-Schlüssel. Tragen Sie ihn in den Einstellungen ein.</translation>
    </message>
    <message>
        <source>{server} returned an error: {cause}.</source>
        <translation>{server} meldet einen Fehler: {cause}.</translation>
    </message>
    <message>
        <source>The response of {server} is invalid. Is it a Lectern server?</source>
        <translation>Die Antwort von {server} ist ungültig. Ist das ein Lectern-Server?</translation>
    </message>
    <message>
        <source>{server} does not respond.</source>
        <translation>{server} antwortet nicht.</translation>
    </message>
</context>
<context>
    <name>ModelChoice</name>
    <message>
        <source>Network of the lab</source>
        <translation>Netz des Labors</translation>
    </message>
    <message>
        <source>{0}, version {1}</source>
        <translation>{0}, Version {1}</translation>
    </message>
</context>
<context>
    <name>ModelForm</name>
    <message>
        <source>Name of the model</source>
        <translation>Name des Modells</translation>
    </message>
    <message>
        <source>&amp;Keep its labels, and correct or add to them</source>
        <translation>Seine Klassen &amp;behalten, korrigieren oder ergänzen</translation>
    </message>
    <message>
        <source>&amp;Name</source>
        <translation>&amp;Name</translation>
    </message>
    <message>
        <source>Features &amp;of</source>
        <translation>&amp;Merkmale von</translation>
    </message>
    <message>
        <source>{0}, version {1}</source>
        <translation>{0}, Version {1}</translation>
    </message>
</context>
<context>
    <name>Network</name>
    <message>
        <source>{0} values</source>
        <translation>{0} Werte</translation>
    </message>
</context>
<context>
    <name>NetworkFormulas</name>
    <message>
        <source>Logits</source>
        <translation>Logits</translation>
    </message>
    <message>
        <source>Inputs</source>
        <translation>Eingaben</translation>
    </message>
    <message>
        <source>y = Σ kernel over input + bias; inputs: {0}</source>
        <translation>y = Σ Kern über Eingabe + Bias; Eingaben: {0}</translation>
    </message>
    <message>
        <source>Parameters: {0}</source>
        <translation>Parameter: {0}</translation>
    </message>
    <message>
        <source>y = Σ weight · input + bias; inputs: {0}</source>
        <translation>y = Σ Gewicht · Eingabe + Bias; Eingaben: {0}</translation>
    </message>
    <message>
        <source>y = the largest of {0} × {0} values, stride {1}</source>
        <translation>y = der größte von {0} × {0} Werten, Schrittweite {1}</translation>
    </message>
    <message>
        <source>y = the mean of {0} × {0} values, stride {1}</source>
        <translation>y = das Mittel von {0} × {0} Werten, Schrittweite {1}</translation>
    </message>
    <message>
        <source>y = the largest value of the map</source>
        <translation>y = der größte Wert der Karte</translation>
    </message>
    <message>
        <source>y = the mean of the map</source>
        <translation>y = das Mittel der Karte</translation>
    </message>
    <message>
        <source>y = x, {0} times as large by interpolation</source>
        <translation>y = x, durch Interpolation {0}-mal so groß</translation>
    </message>
    <message>
        <source>({0} others)</source>
        <translation>({0} weitere)</translation>
    </message>
    <message>
        <source>(bias)</source>
        <translation>(Bias)</translation>
    </message>
</context>
<context>
    <name>NetworkPage</name>
    <message>
        <source>Network</source>
        <translation>Netz</translation>
    </message>
    <message>
        <source>All &amp;maps</source>
        <translation>Alle &amp;Karten</translation>
    </message>
    <message>
        <source>Bright is large, black is 0. Of signed values, grey is 0.</source>
        <translation>Hell ist groß, schwarz ist 0. Bei Werten mit Vorzeichen ist grau 0.</translation>
    </message>
    <message>
        <source>Layers of one of {0} networks; the scores are of all.</source>
        <translation>Schichten eines von {0} Netzen; das Ergebnis ist das aller.</translation>
    </message>
    <message>
        <source>Maps of all layers</source>
        <translation>Karten aller Schichten</translation>
    </message>
</context>
<context>
    <name>Pad</name>
    <message>
        <source>Drawing pad</source>
        <translation>Zeichenfläche</translation>
    </message>
    <message>
        <source>Draw a digit with mouse, finger, pen or arrow keys: Space begins and ends a stroke</source>
        <translation>Zeichnen Sie eine Ziffer mit Maus, Finger, Stift oder Pfeiltasten: Die Leertaste beginnt und beendet einen Strich</translation>
    </message>
    <message>
        <source>Draw a digit</source>
        <translation>Zeichnen Sie eine Ziffer</translation>
    </message>
</context>
<context>
    <name>PictureView</name>
    <message>
        <source>Picture</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>Drop pictures here, paste one, or open a file</source>
        <translation>Bilder hierher ziehen, einfügen oder eine Datei öffnen</translation>
    </message>
</context>
<context>
    <name>PicturesPage</name>
    <message>
        <source>&amp;Open…</source>
        <translation>Ö&amp;ffnen …</translation>
    </message>
    <message>
        <source>&amp;Paste</source>
        <translation>&amp;Einfügen</translation>
    </message>
    <message>
        <source>Pictures</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>This picture is on the network, and Lectern downloads nothing. Save it first, or copy the picture itself.</source>
        <translation>Dieses Bild liegt im Netz, und Lectern lädt nichts herunter. Speichern Sie es zuerst, oder kopieren Sie das Bild selbst.</translation>
    </message>
    <message>
        <source>Only the first {0} pictures were loaded.</source>
        <translation>Nur die ersten {0} Bilder wurden geladen.</translation>
    </message>
    <message>
        <source>Further files with errors, not shown here: {0}</source>
        <translation>Weitere fehlerhafte Dateien, die hier nicht stehen: {0}</translation>
    </message>
    <message>
        <source>Open pictures</source>
        <translation>Bilder öffnen</translation>
    </message>
    <message>
        <source>&amp;Open pictures…</source>
        <translation>Bilder &amp;öffnen …</translation>
    </message>
    <message>
        <source>Open a picture</source>
        <translation>Bild öffnen</translation>
    </message>
    <message>
        <source>Pictures ({0})</source>
        <translation>Bilder ({0})</translation>
    </message>
    <message>
        <source>This is no picture. Drop or paste pictures, their files, or the path of a file.</source>
        <translation>Das ist kein Bild. Legen Sie Bilder oder Bilddateien hier ab, oder fügen Sie Bilder, Dateien oder den Pfad einer Datei ein.</translation>
    </message>
</context>
<context>
    <name>PixelView</name>
    <message>
        <source>{0} × {1} pixels</source>
        <translation>{0} × {1} Pixel</translation>
    </message>
</context>
<context>
    <name>Player</name>
    <message>
        <source>Pla&amp;y</source>
        <translation>A&amp;bspielen</translation>
    </message>
    <message>
        <source>S&amp;tep</source>
        <translation>&amp;Schritt</translation>
    </message>
    <message>
        <source>&amp;Next value</source>
        <translation>&amp;Nächster Wert</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>Geschwindigkeit</translation>
    </message>
    <message>
        <source>Pa&amp;use</source>
        <translation>&amp;Pause</translation>
    </message>
    <message>
        <source>Value {0} of {1}, product {2} of {3}</source>
        <translation>Wert {0} von {1}, Produkt {2} von {3}</translation>
    </message>
    <message>
        <source>2 products a second</source>
        <translation>2 Produkte je Sekunde</translation>
    </message>
    <message>
        <source>1 value a second</source>
        <translation>1 Wert je Sekunde</translation>
    </message>
    <message>
        <source>10 values a second</source>
        <translation>10 Werte je Sekunde</translation>
    </message>
    <message>
        <source>1 row a second</source>
        <translation>1 Zeile je Sekunde</translation>
    </message>
    <message>
        <source>10 rows a second</source>
        <translation>10 Zeilen je Sekunde</translation>
    </message>
</context>
<context>
    <name>PreferencesDialog</name>
    <message>
        <source>&amp;Preferences…</source>
        <translation>Ein&amp;stellungen …</translation>
    </message>
    <message>
        <source>Preferences</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Use a &amp;server when it is available</source>
        <translation>Einen &amp;Server verwenden, wenn er erreichbar ist</translation>
    </message>
    <message>
        <source>Only if the server requires one</source>
        <translation>Nur wenn der Server einen verlangt</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>This is not the address of a server. Use one such as {0}.</source>
        <translation>Das ist keine Serveradresse. Verwenden Sie eine wie {0}.</translation>
    </message>
    <message>
        <source>An API key consists of ASCII characters only.</source>
        <translation>Ein API-Schlüssel besteht nur aus ASCII-Zeichen.</translation>
    </message>
    <message>
        <source>The key is stored in the keyring of this computer.</source>
        <translation>Der Schlüssel liegt im Schlüsselbund dieses Rechners.</translation>
    </message>
    <message>
        <source>Without a keyring, the key is stored as plain text in the settings file.</source>
        <translation>Ohne Schlüsselbund liegt der Schlüssel im Klartext in der Einstellungsdatei.</translation>
    </message>
    <message>
        <source>The key will be stored in the keyring, or else in the settings file.</source>
        <translation>Der Schlüssel kommt in den Schlüsselbund, sonst in die Einstellungsdatei.</translation>
    </message>
    <message>
        <source>&amp;Address</source>
        <translation>&amp;Adresse</translation>
    </message>
    <message>
        <source>API &amp;key</source>
        <translation>API-&amp;Schlüssel</translation>
    </message>
    <message>
        <source>&amp;Colours</source>
        <translation>&amp;Farben</translation>
    </message>
    <message>
        <source>&amp;Language</source>
        <translation>S&amp;prache</translation>
    </message>
    <message>
        <source>A new language takes effect at the next start.</source>
        <translation>Eine neue Sprache gilt ab dem nächsten Start.</translation>
    </message>
</context>
<context>
    <name>PresentationAction</name>
    <message>
        <source>&amp;Presentation</source>
        <translation>&amp;Präsentation</translation>
    </message>
</context>
<context>
    <name>ReplayDialog</name>
    <message>
        <source>Replay</source>
        <translation>Wiedergabe</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>&amp;Play again</source>
        <translation>&amp;Noch einmal abspielen</translation>
    </message>
</context>
<context>
    <name>ResultPanel</name>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>Version</translation>
    </message>
    <message>
        <source>Correct the &amp;label…</source>
        <translation>K&amp;orrigieren …</translation>
    </message>
    <message>
        <source>Network input</source>
        <translation>Netzeingabe</translation>
    </message>
    <message>
        <source>By label</source>
        <translation>Nach Klasse</translation>
    </message>
    <message>
        <source>By probability</source>
        <translation>Nach Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>Order of the bars</source>
        <translation>Reihenfolge der Balken</translation>
    </message>
    <message>
        <source>Version {0}</source>
        <translation>Version {0}</translation>
    </message>
</context>
<context>
    <name>ResultTableModel</name>
    <message>
        <source>File</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>Ergebnis</translation>
    </message>
    <message>
        <source>Probability</source>
        <translation>Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>True label</source>
        <translation>Wahre Klasse</translation>
    </message>
    <message>
        <source>Several digits: {0}</source>
        <translation>Mehrere Ziffern: {0}</translation>
    </message>
    <message>
        <source>Probability of the least sure digit</source>
        <translation>Wahrscheinlichkeit der unsichersten Ziffer</translation>
    </message>
</context>
<context>
    <name>SampleBar</name>
    <message>
        <source>Samples:</source>
        <translation>Beispiele:</translation>
    </message>
    <message>
        <source>Sample: {0}</source>
        <translation>Beispiel: {0}</translation>
    </message>
</context>
<context>
    <name>ScoreChart</name>
    <message>
        <source>Probabilities over time</source>
        <translation>Wahrscheinlichkeiten im Lauf der Zeit</translation>
    </message>
</context>
<context>
    <name>SecondScreen</name>
    <message>
        <source>Presentation</source>
        <translation>Präsentation</translation>
    </message>
    <message>
        <source>Presentation on the &amp;second screen</source>
        <translation>Präsentation auf dem &amp;zweiten Bildschirm</translation>
    </message>
</context>
<context>
    <name>ShareTable</name>
    <message>
        <source>Label</source>
        <translation>Klasse</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>Anteil</translation>
    </message>
</context>
<context>
    <name>SoftmaxPage</name>
    <message>
        <source>Reset to &amp;1</source>
        <translation>Zurück auf &amp;1</translation>
    </message>
    <message>
        <source>A low temperature makes the largest share larger, a high one makes all shares equal. The order never changes.</source>
        <translation>Eine niedrige Temperatur vergrößert den größten Anteil, eine hohe gleicht alle Anteile an. Die Reihenfolge ändert sich nie.</translation>
    </message>
    <message>
        <source>Logits and shares</source>
        <translation>Logits und Anteile</translation>
    </message>
    <message>
        <source>T = {0}: the sum of the powers is {1}. Entropy {2} of at most {3} bits.</source>
        <translation>T = {0}: Die Summe der Potenzen ist {1}. Entropie {2} von höchstens {3} Bit.</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>Temperatur</translation>
    </message>
    <message>
        <source>&amp;Temperature T</source>
        <translation>&amp;Temperatur T</translation>
    </message>
</context>
<context>
    <name>StackPage</name>
    <message>
        <source>Stack</source>
        <translation>Stapel</translation>
    </message>
    <message>
        <source>With pooling, output {0}</source>
        <translation>Mit Pooling, Ausgabe {0}</translation>
    </message>
    <message>
        <source>Without pooling, output {0}</source>
        <translation>Ohne Pooling, Ausgabe {0}</translation>
    </message>
    <message>
        <source>Pooling halves the maps: the layers after it see more of the input, and compute less. Click a value to see what it depends on.</source>
        <translation>Pooling halbiert die Karten: Die Schichten danach sehen mehr von der Eingabe und rechnen weniger. Klicken Sie auf einen Wert, um zu sehen, wovon er abhängt.</translation>
    </message>
    <message>
        <source>{0} × {0}, field {1} × {1}</source>
        <translation>{0} × {0}, Feld {1} × {1}</translation>
    </message>
    <message>
        <source>A window is larger than its input. Choose fewer or smaller stages.</source>
        <translation>Ein Fenster ist größer als seine Eingabe. Wählen Sie weniger oder kleinere Stufen.</translation>
    </message>
    <message>
        <source>A value of the last output depends on {0} × {0} pixels with pooling and on {1} × {1} without. The output has {2} values with pooling and {3} without.</source>
        <translation>Ein Wert der letzten Ausgabe hängt mit Pooling von {0} × {0} Pixeln ab und ohne von {1} × {1}. Die Ausgabe hat mit Pooling {2} Werte und ohne {3}.</translation>
    </message>
    <message>
        <source>Input</source>
        <translation>Eingabe</translation>
    </message>
    <message>
        <source>With pooling</source>
        <translation>Mit Pooling</translation>
    </message>
    <message>
        <source>Without pooling</source>
        <translation>Ohne Pooling</translation>
    </message>
</context>
<context>
    <name>StageBox</name>
    <message>
        <source>Stage {0}</source>
        <translation>Stufe {0}</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Keine</translation>
    </message>
    <message>
        <source>Gauss 3 × 3</source>
        <translation>Gauß 3 × 3</translation>
    </message>
    <message>
        <source>Gauss 5 × 5</source>
        <translation>Gauß 5 × 5</translation>
    </message>
    <message>
        <source>Sobel x 3 × 3</source>
        <translation>Sobel x 3 × 3</translation>
    </message>
    <message>
        <source>Sobel y 3 × 3</source>
        <translation>Sobel y 3 × 3</translation>
    </message>
    <message>
        <source>Laplacian 3 × 3</source>
        <translation>Laplace 3 × 3</translation>
    </message>
    <message>
        <source>Gauss 3 × 3, stride 2</source>
        <translation>Gauß 3 × 3, Schrittweite 2</translation>
    </message>
    <message>
        <source>Gauss 3 × 3, dilation 2</source>
        <translation>Gauß 3 × 3, Dilatation 2</translation>
    </message>
    <message>
        <source>Max pooling 2</source>
        <translation>Max-Pooling 2</translation>
    </message>
    <message>
        <source>Max pooling 3</source>
        <translation>Max-Pooling 3</translation>
    </message>
    <message>
        <source>Average pooling 2</source>
        <translation>Mittelwert-Pooling 2</translation>
    </message>
</context>
<context>
    <name>SumText</name>
    <message>
        <source>{0} of {1} products: {2} so far</source>
        <translation>{0} von {1} Produkten: bisher {2}</translation>
    </message>
    <message>
        <source>red</source>
        <translation>rot</translation>
    </message>
    <message>
        <source>green</source>
        <translation>grün</translation>
    </message>
    <message>
        <source>blue</source>
        <translation>blau</translation>
    </message>
    <message>
        <source>bias {0}</source>
        <translation>Bias {0}</translation>
    </message>
    <message>
        <source>The sum of {0} products is {1}</source>
        <translation>Die Summe von {0} Produkten ist {1}</translation>
    </message>
    <message>
        <source>The sum is {0}</source>
        <translation>Die Summe ist {0}</translation>
    </message>
    <message>
        <source>; ReLU makes it {0}</source>
        <translation>; ReLU macht daraus {0}</translation>
    </message>
</context>
<context>
    <name>Tabs</name>
    <message>
        <source>&amp;Clear</source>
        <translation>&amp;Leeren</translation>
    </message>
</context>
<context>
    <name>TeachPage</name>
    <message>
        <source>Teach</source>
        <translation>Beibringen</translation>
    </message>
    <message>
        <source>Add a &amp;folder…</source>
        <translation>&amp;Ordner hinzufügen …</translation>
    </message>
    <message>
        <source>Add the &amp;corrections</source>
        <translation>&amp;Korrekturen hinzufügen</translation>
    </message>
    <message>
        <source>&amp;Teach</source>
        <translation>&amp;Beibringen</translation>
    </message>
    <message>
        <source>Use &amp;it</source>
        <translation>&amp;Verwenden</translation>
    </message>
    <message>
        <source>Reading pictures…</source>
        <translation>Bilder werden gelesen …</translation>
    </message>
    <message>
        <source>A name has letters, digits, -, _ and . alone, and begins with a letter or digit.</source>
        <translation>Ein Name hat nur Buchstaben ohne Umlaute, Ziffern, -, _ und . und beginnt mit Buchstabe oder Ziffer.</translation>
    </message>
    <message>
        <source>Teaching…</source>
        <translation>Das Netz lernt …</translation>
    </message>
    <message>
        <source>There are {0} examples, and no more are kept. Remove some first.</source>
        <translation>Es gibt {0} Beispiele, und mehr werden nicht behalten. Entfernen Sie zuerst einige.</translation>
    </message>
    <message>
        <source>{0} {1} is a model now. {2} of {3} examples are right in a cross-validation. {4} s</source>
        <translation>{0} {1} ist jetzt ein Modell. {2} von {3} Beispielen sind in einer Kreuzvalidierung richtig. {4} s</translation>
    </message>
    <message>
        <source>{0} examples could not be read.</source>
        <translation>{0} Beispiele waren nicht lesbar.</translation>
    </message>
    <message>
        <source>{0} pictures</source>
        <translation>{0} Bilder</translation>
    </message>
    <message>
        <source>Draw, photograph or open a few examples of each label. The network keeps its layers; only the last one learns. It takes seconds, on this computer.</source>
        <translation>Zeichnen, fotografieren oder öffnen Sie einige Beispiele jeder Klasse. Das Netz behält seine Schichten; nur die letzte lernt. Es dauert Sekunden, auf diesem Rechner.</translation>
    </message>
    <message>
        <source>{0} cannot be written ({1}). Check its permissions.</source>
        <translation>{0} ist nicht beschreibbar ({1}). Prüfen Sie die Rechte.</translation>
    </message>
    <message>
        <source>The subfolders of this folder have no pictures. Name one subfolder after each label.</source>
        <translation>Die Unterordner dieses Ordners enthalten keine Bilder. Benennen Sie je einen Unterordner nach jeder Klasse.</translation>
    </message>
    <message>
        <source>Choose a folder with one subfolder for each label</source>
        <translation>Ordner mit einem Unterordner je Klasse wählen</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
</context>
<context>
    <name>TextPage</name>
    <message>
        <source>Only {0} was opened. Drop one text at a time.</source>
        <translation>Nur {0} wurde geöffnet. Ziehen Sie einen Text nach dem anderen hierher.</translation>
    </message>
    <message>
        <source>{0} cannot be read ({1}). Choose another file.</source>
        <translation>{0} kann nicht gelesen werden ({1}). Wählen Sie eine andere Datei.</translation>
    </message>
    <message>
        <source>Text to classify</source>
        <translation>Zu klassifizierender Text</translation>
    </message>
    <message>
        <source>Enter a film review in English</source>
        <translation>Geben Sie eine Filmkritik auf Englisch ein</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>Text</translation>
    </message>
    <message>
        <source>Write a review</source>
        <translation>Schreiben Sie eine Kritik</translation>
    </message>
    <message>
        <source>The text is classified while you type. HTML tags are ignored.</source>
        <translation>Der Text wird beim Tippen klassifiziert. HTML-Tags werden ignoriert.</translation>
    </message>
    <message>
        <source>&amp;Clear</source>
        <translation>&amp;Leeren</translation>
    </message>
    <message>
        <source>{0} is not a text of at most 1 MB. Save it as plain text in UTF-8.</source>
        <translation>{0} ist kein Text von höchstens 1 MB. Speichern Sie die Datei als reinen Text in UTF-8.</translation>
    </message>
    <message>
        <source>Praise</source>
        <translation>Lob</translation>
    </message>
    <message>
        <source>Complaint</source>
        <translation>Verriss</translation>
    </message>
    <message>
        <source>Sample: {0}</source>
        <translation>Beispiel: {0}</translation>
    </message>
    <message>
        <source>Samples:</source>
        <translation>Beispiele:</translation>
    </message>
</context>
<context>
    <name>Theme</name>
    <message>
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
</context>
<context>
    <name>Titles</name>
    <message>
        <source>Handwritten digits</source>
        <translation>Handgeschriebene Ziffern</translation>
    </message>
    <message>
        <source>Garments</source>
        <translation>Kleidungsstücke</translation>
    </message>
    <message>
        <source>Ten kinds of small photos</source>
        <translation>Zehn Arten kleiner Fotos</translation>
    </message>
    <message>
        <source>Cats and dogs</source>
        <translation>Katzen und Hunde</translation>
    </message>
    <message>
        <source>Film reviews</source>
        <translation>Filmkritiken</translation>
    </message>
    <message>
        <source>the lecture&apos;s convolutional network</source>
        <translation>das Faltungsnetz der Vorlesung</translation>
    </message>
    <message>
        <source>the lecture&apos;s dense network</source>
        <translation>das dichte Netz der Vorlesung</translation>
    </message>
    <message>
        <source>the lecture&apos;s dense network on 10,000 words</source>
        <translation>das dichte Netz der Vorlesung auf 10.000 Wörtern</translation>
    </message>
    <message>
        <source>a deep convolutional network that begins by whitening</source>
        <translation>ein tiefes Faltungsnetz, das mit Whitening beginnt</translation>
    </message>
    <message>
        <source>a deep convolutional network that doubts letters and shapes</source>
        <translation>ein tiefes Faltungsnetz, das bei Buchstaben und Formen zweifelt</translation>
    </message>
    <message>
        <source>a small convolutional network trained from scratch</source>
        <translation>ein kleines, von Grund auf trainiertes Faltungsnetz</translation>
    </message>
    <message>
        <source>a pretrained MobileNetV2, fine-tuned</source>
        <translation>ein vortrainiertes, nachtrainiertes MobileNetV2</translation>
    </message>
    <message>
        <source>a pretrained MobileNetV2, its top layers fine-tuned</source>
        <translation>ein vortrainiertes MobileNetV2 mit nachtrainierten oberen Schichten</translation>
    </message>
    <message>
        <source>convolutions with batch normalisation and ELU</source>
        <translation>Faltungen mit Batch-Normalisierung und ELU</translation>
    </message>
    <message>
        <source>logistic regression on words and pairs of words, begun at naive Bayes</source>
        <translation>logistische Regression auf Wörtern und Wortpaaren, ausgehend von naivem Bayes</translation>
    </message>
    <message>
        <source>logistic regressions on words and phrases of reviews and of sentences</source>
        <translation>logistische Regressionen auf Wörtern und Wortfolgen von Kritiken und von Sätzen</translation>
    </message>
    <message>
        <source>convolutions over the first 400 words</source>
        <translation>Faltungen über die ersten 400 Wörter</translation>
    </message>
    <message>
        <source>a bidirectional recurrent network over the first 400 words</source>
        <translation>ein bidirektionales rekurrentes Netz über die ersten 400 Wörter</translation>
    </message>
</context>
<context>
    <name>Train</name>
    <message>
        <source>Digits: one hidden layer</source>
        <translation>Ziffern: eine verdeckte Schicht</translation>
    </message>
    <message>
        <source>Digits: two convolutions</source>
        <translation>Ziffern: zwei Faltungen</translation>
    </message>
    <message>
        <source>Digits: three convolutions</source>
        <translation>Ziffern: drei Faltungen</translation>
    </message>
    <message>
        <source>Garments: two hidden layers</source>
        <translation>Kleidung: zwei verdeckte Schichten</translation>
    </message>
    <message>
        <source>Small photos: convolutions, batch normalization</source>
        <translation>Kleine Fotos: Faltungen, Batch-Normalisierung</translation>
    </message>
    <message>
        <source>Cats and dogs: convolutions from scratch</source>
        <translation>Katzen und Hunde: Faltungen von Grund auf</translation>
    </message>
    <message>
        <source>Film reviews: dense layers</source>
        <translation>Filmkritiken: dichte Schichten</translation>
    </message>
    <message>
        <source>A folder of your own pictures</source>
        <translation>Ein Ordner mit eigenen Bildern</translation>
    </message>
    <message>
        <source>The lecture&apos;s overfitting</source>
        <translation>Die Überanpassung der Vorlesung</translation>
    </message>
    <message>
        <source>With dropout</source>
        <translation>Mit Dropout</translation>
    </message>
    <message>
        <source>With augmentation</source>
        <translation>Mit Datenanreicherung</translation>
    </message>
</context>
<context>
    <name>TrainPage</name>
    <message>
        <source>Train</source>
        <translation>Trainieren</translation>
    </message>
    <message>
        <source>Run to compare with</source>
        <translation>Lauf zum Vergleich</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>Wird beendet …</translation>
    </message>
    <message>
        <source>A training is running. Its finished epochs are kept. Stop it, and close Lectern?</source>
        <translation>Ein Training läuft. Seine fertigen Epochen bleiben erhalten. Beenden und Lectern schließen?</translation>
    </message>
    <message>
        <source>TensorFlow is being installed. Stop that, and close Lectern?</source>
        <translation>TensorFlow wird installiert. Abbrechen und Lectern schließen?</translation>
    </message>
    <message>
        <source>Close Lectern?</source>
        <translation>Lectern schließen?</translation>
    </message>
    <message>
        <source>Starting TensorFlow…</source>
        <translation>TensorFlow startet …</translation>
    </message>
    <message>
        <source>Exporting: the network reads the whole test set…</source>
        <translation>Export: Das Netz liest den ganzen Testdatensatz …</translation>
    </message>
    <message>
        <source>Installing TensorFlow… This takes minutes.</source>
        <translation>TensorFlow wird installiert… Das dauert Minuten.</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Angehalten</translation>
    </message>
    <message>
        <source>Training</source>
        <translation>Training</translation>
    </message>
    <message>
        <source>No other run</source>
        <translation>Kein anderer Lauf</translation>
    </message>
    <message>
        <source>Compare with</source>
        <translation>Vergleichen mit</translation>
    </message>
</context>
<context>
    <name>Training</name>
    <message>
        <source>{0} parameters, {1} training examples</source>
        <translation>{0} Parameter, {1} Trainingsbeispiele</translation>
    </message>
    <message>
        <source>Downloading the data set: {0} of {1} MB</source>
        <translation>Der Datensatz wird geladen: {0} von {1} MB</translation>
    </message>
    <message>
        <source>{0} of {1} pictures have gone through the pretrained network</source>
        <translation>{0} von {1} Bildern sind durch das vortrainierte Netz gelaufen</translation>
    </message>
    <message>
        <source>Stopped after {0} epochs</source>
        <translation>Beendet nach {0} Epochen</translation>
    </message>
    <message>
        <source>{0} epochs in {1} s. Validation accuracy {2} %</source>
        <translation>{0} Epochen in {1} s. Genauigkeit bei der Validierung {2} %</translation>
    </message>
    <message>
        <source>{0} is a model now: {1} % of {2} test examples are right.</source>
        <translation>{0} ist jetzt ein Modell: {1} % von {2} Testbeispielen sind richtig.</translation>
    </message>
</context>
<context>
    <name>TrainingControls</name>
    <message>
        <source>&amp;Start</source>
        <translation>&amp;Starten</translation>
    </message>
    <message>
        <source>St&amp;op</source>
        <translation>&amp;Beenden</translation>
    </message>
    <message>
        <source>Use &amp;it</source>
        <translation>&amp;Verwenden</translation>
    </message>
    <message>
        <source>Export the network, and select it as a model of the app</source>
        <translation>Das Netz exportieren und als Modell der App auswählen</translation>
    </message>
    <message>
        <source>&amp;Install</source>
        <translation>&amp;Installieren</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>Contin&amp;ue</source>
        <translation>&amp;Fortsetzen</translation>
    </message>
    <message>
        <source>Pa&amp;use</source>
        <translation>&amp;Anhalten</translation>
    </message>
    <message>
        <source>Training needs TensorFlow, which takes up to 3 GB on the disk. Press Install, or run “./run train” in the copy of Lectern’s repository.</source>
        <translation>Zum Trainieren braucht es TensorFlow, bis zu 3 GB auf der Platte. Klicken Sie auf Installieren, oder rufen Sie „./run train“ in der Kopie von Lecterns Repository auf.</translation>
    </message>
    <message>
        <source>Training needs TensorFlow. Install it in a copy of Lectern’s repository: pip install &apos;.[train]&apos;</source>
        <translation>Zum Trainieren braucht es TensorFlow. Installieren Sie es in einer Kopie von Lecterns Repository: pip install &apos;.[train]&apos;</translation>
    </message>
</context>
<context>
    <name>TrainingCurves</name>
    <message>
        <source>Loss by epoch</source>
        <translation>Verlust je Epoche</translation>
    </message>
    <message>
        <source>Accuracy by epoch</source>
        <translation>Genauigkeit je Epoche</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>Verlust</translation>
    </message>
    <message>
        <source>Accuracy</source>
        <translation>Genauigkeit</translation>
    </message>
    <message>
        <source>Training</source>
        <translation>Training</translation>
    </message>
    <message>
        <source>Validation</source>
        <translation>Validierung</translation>
    </message>
    <message>
        <source>Overfitting since epoch {0}: the validation loss rises while the training loss falls.</source>
        <translation>Überanpassung seit Epoche {0}: Der Verlust bei der Validierung steigt, während der beim Training fällt.</translation>
    </message>
    <message>
        <source>Epoch {0}: validation accuracy {1} %</source>
        <translation>Epoche {0}: Genauigkeit bei der Validierung {1} %</translation>
    </message>
</context>
<context>
    <name>TrainingForm</name>
    <message>
        <source>As in the recipe</source>
        <translation>Wie im Rezept</translation>
    </message>
    <message>
        <source>Own settings</source>
        <translation>Eigene Einstellungen</translation>
    </message>
    <message>
        <source>Choose a &amp;folder…</source>
        <translation>&amp;Ordner wählen …</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Alle</translation>
    </message>
    <message>
        <source>Constant</source>
        <translation>Konstant</translation>
    </message>
    <message>
        <source>On</source>
        <translation>An</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>Aus</translation>
    </message>
    <message>
        <source>Choose a folder with one subfolder for each label</source>
        <translation>Ordner mit einem Unterordner je Klasse wählen</translation>
    </message>
    <message>
        <source>Prese&amp;t</source>
        <translation>&amp;Vorgabe</translation>
    </message>
    <message>
        <source>&amp;Network</source>
        <translation>&amp;Netz</translation>
    </message>
    <message>
        <source>E&amp;xamples</source>
        <translation>&amp;Beispiele</translation>
    </message>
    <message>
        <source>E&amp;pochs</source>
        <translation>&amp;Epochen</translation>
    </message>
    <message>
        <source>Si&amp;ze</source>
        <translation>&amp;Größe</translation>
    </message>
    <message>
        <source>&amp;Learning rate</source>
        <translation>&amp;Lernrate</translation>
    </message>
    <message>
        <source>Sc&amp;hedule</source>
        <translation>&amp;Zeitplan</translation>
    </message>
    <message>
        <source>L&amp;1</source>
        <translation>L&amp;1</translation>
    </message>
    <message>
        <source>L&amp;2</source>
        <translation>L&amp;2</translation>
    </message>
    <message>
        <source>&amp;Dropout</source>
        <translation>&amp;Dropout</translation>
    </message>
    <message>
        <source>&amp;Batch normalization</source>
        <translation>Batch-Nor&amp;malisierung</translation>
    </message>
    <message>
        <source>A&amp;ugmentation</source>
        <translation>Da&amp;tenanreicherung</translation>
    </message>
</context>
<context>
    <name>TrainingPage</name>
    <message>
        <source>Training</source>
        <translation>Training</translation>
    </message>
    <message>
        <source>Layer for dropout</source>
        <translation>Schicht für Dropout</translation>
    </message>
    <message>
        <source>Draw &amp;again</source>
        <translation>&amp;Neu ziehen</translation>
    </message>
    <message>
        <source>Values before and after dropout</source>
        <translation>Werte vor und nach Dropout</translation>
    </message>
    <message>
        <source>Layer for normalization</source>
        <translation>Schicht für die Normalisierung</translation>
    </message>
    <message>
        <source>Values before normalization</source>
        <translation>Werte vor der Normalisierung</translation>
    </message>
    <message>
        <source>Values after normalization</source>
        <translation>Werte nach der Normalisierung</translation>
    </message>
    <message>
        <source>Before</source>
        <translation>Vorher</translation>
    </message>
    <message>
        <source>Dropout</source>
        <translation>Dropout</translation>
    </message>
    <message>
        <source>{0} of {1} values are dropped; the others are multiplied by 1 / (1 − {2}) = {3}. The sum is {4} before and {5} after. Only training does this; a prediction uses all values. Dropped values are red.</source>
        <translation>{0} von {1} Werten fallen weg; die anderen werden mit 1 / (1 − {2}) = {3} multipliziert. Die Summe ist vorher {4} und nachher {5}. Nur das Training macht das; eine Vorhersage nutzt alle Werte. Weggefallene Werte sind rot.</translation>
    </message>
    <message>
        <source>The network has no convolution.</source>
        <translation>Das Netz hat keine Faltung.</translation>
    </message>
    <message>
        <source>Before: mean {0}, deviation {1}. After: mean {2}, deviation {3}.</source>
        <translation>Vorher: Mittel {0}, Streuung {1}. Nachher: Mittel {2}, Streuung {3}.</translation>
    </message>
    <message>
        <source>The network&apos;s own batch normalization, with the means of training.</source>
        <translation>Die Batch-Normalisierung des Netzes, mit den Mitteln des Trainings.</translation>
    </message>
    <message>
        <source>Each map is normalized over its own values: y = (x − mean) / deviation.</source>
        <translation>Jede Karte wird über ihre eigenen Werte normalisiert: y = (x − Mittel) / Streuung.</translation>
    </message>
    <message>
        <source>&amp;Rate</source>
        <translation>&amp;Rate</translation>
    </message>
    <message>
        <source>Batch normalization</source>
        <translation>Batch-Normalisierung</translation>
    </message>
</context>
<context>
    <name>TransposedPage</name>
    <message>
        <source>Transposed</source>
        <translation>Transponiert</translation>
    </message>
    <message>
        <source>Box blur</source>
        <translation>Mittelwert</translation>
    </message>
    <message>
        <source>Gaussian blur</source>
        <translation>Gauß-Weichzeichnen</translation>
    </message>
    <message>
        <source>Sobel x</source>
        <translation>Sobel x</translation>
    </message>
    <message>
        <source>Identity</source>
        <translation>Identität</translation>
    </message>
    <message>
        <source>Kernel of the transposed convolution</source>
        <translation>Kern der transponierten Faltung</translation>
    </message>
    <message>
        <source>Size of the input</source>
        <translation>Größe der Eingabe</translation>
    </message>
    <message>
        <source>Stride</source>
        <translation>Schrittweite</translation>
    </message>
    <message>
        <source>Values cut off at each edge</source>
        <translation>Werte, die an jedem Rand wegfallen</translation>
    </message>
    <message>
        <source>Input of the transposed convolution</source>
        <translation>Eingabe der transponierten Faltung</translation>
    </message>
    <message>
        <source>Output of the transposed convolution</source>
        <translation>Ausgabe der transponierten Faltung</translation>
    </message>
    <message>
        <source>Each input value is multiplied with the whole kernel, and overlapping kernels add up. The backward pass of a convolution does the same: it spreads the gradient of each output over the inputs, with the same weights.</source>
        <translation>Jeder Wert der Eingabe wird mit dem ganzen Kern multipliziert, und überlappende Kerne addieren sich. Die Rückwärtsrechnung einer Faltung macht dasselbe: Sie verteilt den Gradienten jeder Ausgabe mit denselben Gewichten auf die Eingaben.</translation>
    </message>
    <message>
        <source>The input value {0} adds {0} · kernel to {1} × {1} outputs.</source>
        <translation>Der Eingabewert {0} addiert {0} · Kern zu {1} × {1} Ausgaben.</translation>
    </message>
    <message>
        <source>Point at a value of the input or of the output.</source>
        <translation>Zeigen Sie auf einen Wert der Eingabe oder der Ausgabe.</translation>
    </message>
    <message>
        <source>No kernel reaches this output: {0}</source>
        <translation>Kein Kern reicht bis zu dieser Ausgabe: {0}</translation>
    </message>
    <message>
        <source>&amp;Stride</source>
        <translation>&amp;Schrittweite</translation>
    </message>
    <message>
        <source>Pa&amp;dding</source>
        <translation>A&amp;uffüllung</translation>
    </message>
</context>
<context>
    <name>WatchedPane</name>
    <message>
        <source>Open a picture on the page Pictures.</source>
        <translation>Öffnen Sie ein Bild auf der Seite Bilder.</translation>
    </message>
    <message>
        <source>C&amp;lear</source>
        <translation>&amp;Löschen</translation>
    </message>
    <message>
        <source>The network reads</source>
        <translation>Das Netz liest</translation>
    </message>
    <message>
        <source>Write a review on the page Text.</source>
        <translation>Schreiben Sie eine Kritik auf der Seite Text.</translation>
    </message>
    <message>
        <source>After {0} epochs</source>
        <translation>Nach {0} Epochen</translation>
    </message>
    <message>
        <source>The network reads this after each epoch.</source>
        <translation>Das Netz liest dies nach jeder Epoche.</translation>
    </message>
</context>
<context>
    <name>WordsPage</name>
    <message>
        <source>Words</source>
        <translation>Wörter</translation>
    </message>
    <message>
        <source>Network for texts</source>
        <translation>Netz für Texte</translation>
    </message>
    <message>
        <source>Sample reviews</source>
        <translation>Beispielkritiken</translation>
    </message>
    <message>
        <source>Bias + words for − words against: {0}. Probability of {1}: {2}</source>
        <translation>Bias + Wörter dafür − Wörter dagegen: {0}. Wahrscheinlichkeit von {1}: {2}</translation>
    </message>
    <message>
        <source>The network is linear: each word and pair adds its weight, however often it occurs.</source>
        <translation>Das Netz ist linear: Jedes Wort und jedes Wortpaar trägt sein Gewicht bei, egal wie oft es vorkommt.</translation>
    </message>
    <message>
        <source>Logit {0}. Probability of {1}: {2}</source>
        <translation>Logit {0}. Wahrscheinlichkeit von {1}: {2}</translation>
    </message>
    <message>
        <source>The network is not linear: each number is what the logit loses without that word.</source>
        <translation>Das Netz ist nicht linear: Jede Zahl ist das, was dem Logit ohne das Wort fehlt.</translation>
    </message>
    <message>
        <source>{0}, version {1}</source>
        <translation>{0}, Version {1}</translation>
    </message>
    <message>
        <source>A wonderful film</source>
        <translation>Ein wunderbarer Film</translation>
    </message>
    <message>
        <source>A waste of time</source>
        <translation>Verlorene Zeit</translation>
    </message>
    <message>
        <source>Good and bad</source>
        <translation>Gut und schlecht</translation>
    </message>
    <message>
        <source>Not bad: negation</source>
        <translation>Nicht schlecht: Verneinung</translation>
    </message>
    <message>
        <source>Write a review</source>
        <translation>Schreiben Sie eine Kritik</translation>
    </message>
    <message>
        <source>Review</source>
        <translation>Kritik</translation>
    </message>
    <message>
        <source>Word or pair</source>
        <translation>Wort oder Wortpaar</translation>
    </message>
    <message>
        <source>adds</source>
        <translation>Beitrag</translation>
    </message>
    <message>
        <source>Words and what they add</source>
        <translation>Wörter und ihr Beitrag</translation>
    </message>
    <message>
        <source>Orange adds, blue subtracts. The space between two words has the colour of their pair.</source>
        <translation>Orange trägt bei, blau zieht ab. Der Raum zwischen zwei Wörtern hat die Farbe des Wortpaars.</translation>
    </message>
</context>
<context>
    <name>ZoomActions</name>
    <message>
        <source>Zoom &amp;in</source>
        <translation>Ver&amp;größern</translation>
    </message>
    <message>
        <source>Zoom &amp;out</source>
        <translation>Ver&amp;kleinern</translation>
    </message>
    <message>
        <source>&amp;Normal size</source>
        <translation>&amp;Normale Größe</translation>
    </message>
</context>
</TS>
