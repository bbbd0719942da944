# Makes fixtures/position-resize.json: position tables resized by PyTorch. Run in packages/checkpoints/fixtures.
import torch, json, torch.nn.functional as F, platform
torch.manual_seed(0)
out={"tool":f"PyTorch {torch.__version__}","seed":0,
 "made_with":"torch.nn.functional.interpolate(align_corners=False; bicubic with antialias=True, linear), as open_clip's resize_pos_embed and resize_text_pos_embed",
 "tolerance":2e-6,"cases":[]}
def r(t): return [round(float(x),8) for x in t.flatten()]
for kind,old,new in [("grid",(4,4),(7,7)),("grid",(7,7),(3,3)),("grid",(5,5),(5,5)),("grid",(6,6),(4,9)),("linear",(7,),(12,)),("linear",(9,),(4,))]:
    C=3
    if kind=="grid":
        x=torch.randn(1+old[0]*old[1],C)
        pre,g=x[:1],x[1:]
        g=g.reshape(1,old[0],old[1],C).permute(0,3,1,2)
        g=F.interpolate(g,size=new,mode="bicubic",antialias=True,align_corners=False)
        g=g.permute(0,2,3,1).reshape(new[0]*new[1],C)
        y=torch.cat([pre,g])
    else:
        x=torch.randn(old[0],C)
        y=F.interpolate(x.reshape(1,old[0],C).permute(0,2,1),size=new[0],mode="linear",align_corners=False).permute(0,2,1)[0]
    out["cases"].append({"kind":kind,"from":list(old),"to":list(new),"width":C,"input":r(x),"expected":r(y)})
json.dump(out,open("position-resize.json","w"),indent=1)
print(torch.__version__)
